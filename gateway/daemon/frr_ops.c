/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_ops.h"
#include "lib/xmalloc.h"
#include <stdio.h>
#include <string.h>

/* Where the script stands: in a block, and in a part of it. */
struct position {
	char block[OP_NAME_LEN], part[OP_NAME_LEN];
};

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* Lines that lead somewhere. Some also make what they lead into. */
static const struct {
	const char *word;
	bool part; /* of the block that the script is in */
	bool makes;
} openers[] = {
	{"router bgp ", false, false},
	{"bfd", false, false},
	{"route-map ", false, true},
	{"address-family ", true, false},
	{"profile ", true, true},
};

/* Is the line nothing but a step? */
static bool steps(struct position *at, const char *line, bool makes_router)
{
	static const char *const leavers[] = {"exit", "exit-address-family"};
	if (!strcmp(line, "configure terminal") || !strcmp(line, "end")) {
		*at = (struct position){};
		return true;
	}
	for (size_t i = 0; i < sizeof(leavers) / sizeof(leavers[0]); i++)
		if (!strcmp(line, leavers[i])) {
			*(at->part[0] ? at->part : at->block) = '\0';
			return true;
		}
	for (size_t i = 0; i < sizeof(openers) / sizeof(openers[0]); i++) {
		if (!begins(line, openers[i].word))
			continue;
		if (openers[i].part != (at->block[0] != '\0'))
			continue;
		snprintf(openers[i].part ? at->part : at->block, OP_NAME_LEN, "%.100s", line);
		return !openers[i].makes && !(i == 0 && makes_router);
	}
	return false;
}

static void push(struct ops *ops, const char *line, const struct position *at)
{
	bool deletes = begins(line, "no ");
	XGROW(ops->list, ops->n, ops->cap);
	struct op *op = &ops->list[ops->n++];
	*op = (struct op){.kind = OP_FRR, .action = deletes ? OP_DELETE : OP_ADD};
	snprintf(op->frr.line, sizeof(op->frr.line), "%s", deletes ? line + 3 : line);
	snprintf(op->frr.block, sizeof(op->frr.block), "%.60s%s%.45s", at->block,
		at->part[0] ? ", " : "", at->part);
}

void frr_ops_add(const struct frr_diff *diff, const struct frr_running *running, struct ops *ops)
{
	struct position at = {};
	char text[256];
	bool makes_router = running->asn == 0;
	for (size_t i = 0; i < diff->script.n; i++) {
		const char *line = frr_line_str(&diff->script.lines[i], text, sizeof(text));
		line += strspn(line, " ");
		struct position before = at;
		if (!steps(&at, line, makes_router))
			push(ops, line, &before);
		makes_router &= !begins(line, "router bgp ");
	}
}
