/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/place.h"
#include "frr/want.h"
#include <string.h>

void frr_place_leave(
	struct frr_script *script, struct frr_place *at, const char *block, const char *part)
{
	bool same_block = strcmp(at->block, block) == 0;
	if (at->part[0] && !(same_block && strcmp(at->part, part) == 0)) {
		if (frr_is_family(at->part))
			frr_script_add(script, FRR_NOWHERE, " exit-address-family");
		else if (!at->for_vtysh)
			frr_script_add(script, FRR_NOWHERE, " exit");
		at->part = "";
	}
	if (at->block[0] && !same_block) {
		if (!at->for_vtysh)
			frr_script_add(script, FRR_NOWHERE, "exit");
		at->block = "";
	}
}

void frr_place_go(struct frr_script *script, struct frr_place *at, const char *block,
	const char *part, struct frr_mark mark)
{
	frr_place_leave(script, at, block, part);
	if (block[0] && !at->block[0])
		frr_script_add(script, mark, "%s", block);
	at->block = block;
	if (part[0] && !at->part[0])
		frr_script_add(script, mark, " %s", part);
	at->part = part;
}

void frr_place_opened(struct frr_place *at, const char *text)
{
	if (!frr_is_block(text))
		return;
	if (at->block[0])
		at->part = text;
	else
		at->block = text;
}

const char *frr_place_indent(const struct frr_place *at)
{
	return at->part[0] ? "  " : at->block[0] ? " " : "";
}
