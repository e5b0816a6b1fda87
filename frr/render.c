/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/render.h"
#include "frr/place.h"
#include "frr/want.h"
#include <string.h>

static void add_line(struct frr_script *out, const struct frr_place *at,
	const struct frr_want *want, bool passwords)
{
	const char *indent = frr_place_indent(at);
	if (passwords)
		frr_script_add_secret(out, want->mark, indent, want->text, want->shown);
	else if (want->text[want->shown])
		frr_script_add(out, want->mark, "%s! %.*s WORD (not shown: put it here)", indent,
			(int)want->shown, want->text);
	else
		frr_script_add(out, want->mark, "%s%s", indent, want->text);
}

/* FRR itself puts a "!" behind each block. */
static void go(struct frr_script *out, struct frr_place *at, const struct frr_want *want)
{
	bool leaves = at->block[0] && strcmp(at->block, want->block) != 0;
	frr_place_leave(out, at, want->block, want->part);
	if (leaves)
		frr_script_add(out, FRR_NOWHERE, "!");
	frr_place_go(out, at, want->block, want->part, want->mark);
}

void frr_render(const struct frr_model *model, bool passwords, struct frr_script *out)
{
	struct frr_wants wants = {};
	struct frr_place at = {"", "", false};
	frr_want_all(model, &(struct frr_spelling){.bgp_ours = true}, nullptr, &wants);
	frr_script_add(out, FRR_NOWHERE, "! What meshgw wants of FRRouting; see meshgw(8).");
	frr_script_add(out, FRR_NOWHERE, "frr defaults traditional");
	frr_script_add(out, FRR_NOWHERE, "!");
	for (size_t i = 0; i < wants.n; i++) {
		go(out, &at, &wants.list[i]);
		add_line(out, &at, &wants.list[i], passwords);
		frr_place_opened(&at, wants.list[i].text);
	}
	frr_place_leave(out, &at, "", "");
	frr_script_add(out, FRR_NOWHERE, "!");
	frr_wants_clear(&wants);
}
