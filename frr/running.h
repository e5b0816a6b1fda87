/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * running: what `show running-config` says, line by line.
 *
 * The text is read into statements: a line, the block it stands in (`router bgp 65010`,
 * `route-map X permit 10`) and the part of that block (`address-family ipv4 unicast`). Ours are
 * told by marks: the tag of a static, the description of a neighbour, names that begin with MESHGW.
 * All the rest is foreign, and kept only so that diff.h can warn about it.
 *
 * Any bytes are taken; what is no configuration gives no statements, and lines beyond the limits
 * make it -EFBIG. The text is copied, because it holds passwords: the copy is wiped by
 * frr_running_clear(), and no function prints a statement.
 */
#include "frr/model.h"
#include "lib/err.h"

constexpr size_t FRR_RUNNING_MAX = 64 * 1024 * 1024;

struct frr_statement {
	const char *block, *part; /* "" = none */
	const char *text;         /* without indentation */
	bool ours;
};

struct frr_running {
	struct frr_statement *statements; /* in the order of the text */
	size_t n;
	uint32_t asn;           /* of `router bgp` in the default VRF, 0 = there is none */
	struct addr *neighbors; /* ours, by their description; sorted */
	size_t n_neighbors;
	char *text; /* owns the bytes of all of them */
	size_t len;
};

/* 0 and *out (owned by the caller), or -EINVAL (no `show running-config` at all: no "end" line),
 * or -EFBIG, with a sentence; *out is then empty. */
[[nodiscard]] int frr_running_read(
	const char *text, size_t len, struct frr_running *out, struct err *err);
void frr_running_clear(struct frr_running *running);

/* Is anything of ours in it? For `meshgw down`, and for a saved frr.conf (frr-saved). */
bool frr_running_has_ours(const struct frr_running *running);
