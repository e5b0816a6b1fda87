/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * code_variant: what else is to be done about a code when an attribute says who or what is to
 * blame, such as by=docker; or what is derived: configuration=none, iptables=yes, link=down,
 * probed=yes, stale=others, from=gateway, tunnel=own (remedy.c).
 * Private to this room; rules for its texts in code_part.h.
 */
#include "verdict/code.h"

struct code_variant {
	enum code code;
	const char *name, *value; /* of the attribute */
	const char *remedy;
	const char *commands[CODE_COMMANDS];
};

/* The next variant of a code behind *at (begin with 0); nullptr = no more. */
const struct code_variant *code_variant_next(enum code code, size_t *at);
