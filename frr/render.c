/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/render.h"
#include "frr/want.h"
#include <string.h>

constexpr struct frr_mark NOWHERE = {};

/* Where the next line would stand. */
struct position {
	const char *block, *part; /* "" = none */
};

static void leave(struct frr_script *out, struct position *at, const char *block, const char *part)
{
	bool same_block = strcmp(at->block, block) == 0;
	if (at->part[0] && !(same_block && strcmp(at->part, part) == 0)) {
		frr_script_add(out, NOWHERE, " %s",
			frr_is_family(at->part) ? "exit-address-family" : "exit");
		at->part = "";
	}
	if (at->block[0] && !same_block) {
		frr_script_add(out, NOWHERE, "exit");
		frr_script_add(out, NOWHERE, "!");
		at->block = "";
	}
}

static void add_line(struct frr_script *out, const struct frr_want *want, bool passwords)
{
	const char *indent = want->part[0] ? "  " : want->block[0] ? " " : "";
	bool secret = want->text[want->shown] != '\0';
	if (!secret)
		frr_script_add(out, want->mark, "%s%s", indent, want->text);
	else if (passwords)
		frr_script_add_secret(out, want->mark, indent, want->text, want->shown);
	else
		frr_script_add(out, want->mark, "%s! %.*s WORD (not shown: put it here)", indent,
			(int)want->shown, want->text);
}

void frr_render(const struct frr_model *model, bool passwords, struct frr_script *out)
{
	struct frr_wants wants = {};
	struct position at = {"", ""};
	frr_want_all(model, &(struct frr_spelling){.bgp_ours = true}, nullptr, &wants);
	frr_script_add(out, NOWHERE, "! What meshgw wants of FRRouting. Generated; see meshgw(8).");
	frr_script_add(out, NOWHERE, "frr defaults traditional");
	frr_script_add(out, NOWHERE, "!");
	for (size_t i = 0; i < wants.n; i++) {
		const struct frr_want *want = &wants.list[i];
		leave(out, &at, want->block, want->part);
		if (want->part[0] && !at.part[0] && frr_is_family(want->part))
			frr_script_add(out, want->mark, " %s", want->part);
		at = (struct position){want->block, want->part};
		add_line(out, want, passwords);
		if (frr_is_block(want->text))
			at = want->block[0] ? (struct position){want->block, want->text}
					    : (struct position){want->text, ""};
	}
	leave(out, &at, "", "");
	frr_script_add(out, NOWHERE, "end");
	frr_wants_clear(&wants);
}
