/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_ops.h"
#include "lib/xmalloc.h"
#include <stdio.h>
#include <string.h>

/* Where the script stands: in a block, and in a part of it. A line's indentation says how deep. */
struct position {
	char block[OP_NAME_LEN], part[OP_NAME_LEN];
};

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static bool leaves(const char *line)
{
	return !strcmp(line, "configure terminal") || !strcmp(line, "end") ||
	       !strcmp(line, "exit") || !strcmp(line, "exit-address-family");
}

/* Lines that lead somewhere. Some also make what they lead into. */
static const struct {
	const char *word;
	size_t depth;
	bool makes;
} openers[] = {
	{"router bgp ", 0, false},
	{"bfd", 0, false},
	{"route-map ", 0, true},
	{"address-family ", 1, false},
	{"profile ", 1, true},
};

/* Is the line nothing but a step? */
static bool steps(struct position *at, size_t depth, const char *line, bool makes_router)
{
	if (depth == 0)
		*at = (struct position){};
	else if (depth == 1)
		at->part[0] = '\0';
	if (leaves(line))
		return true;
	for (size_t i = 0; i < sizeof(openers) / sizeof(openers[0]); i++) {
		if (openers[i].depth != depth || !begins(line, openers[i].word))
			continue;
		snprintf(depth ? at->part : at->block, OP_NAME_LEN, "%.100s", line);
		return !openers[i].makes && !(i == 0 && makes_router);
	}
	return false;
}

static void push(struct ops *ops, const char *line, const struct position *at, bool opener)
{
	bool deletes = begins(line, "no ");
	const char *part = opener ? "" : at->part;
	const char *block = opener && !at->part[0] ? "" : at->block;
	XGROW(ops->list, ops->n, ops->cap);
	struct op *op = &ops->list[ops->n++];
	*op = (struct op){.kind = OP_FRR, .action = deletes ? OP_DELETE : OP_ADD};
	snprintf(op->frr.line, sizeof(op->frr.line), "%s", deletes ? line + 3 : line);
	snprintf(op->frr.block, sizeof(op->frr.block), "%.60s%s%.45s", block, *part ? ", " : "",
		part);
}

void frr_ops_add(const struct frr_diff *diff, const struct frr_running *running, struct ops *ops)
{
	struct position at = {};
	char text[256];
	bool makes_router = running->asn == 0;
	for (size_t i = 0; i < diff->script.n; i++) {
		const char *line = frr_line_str(&diff->script.lines[i], text, sizeof(text));
		size_t depth = strspn(line, " ");
		line += depth;
		if (!steps(&at, depth, line, makes_router))
			push(ops, line, &at, !strcmp(line, depth ? at.part : at.block));
		makes_router &= !begins(line, "router bgp ");
	}
}
