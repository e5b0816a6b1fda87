/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * running: what `show running-config` says, line by line.
 *
 * The text is read into statements: a line, the block it stands in (`router bgp 65010`,
 * `route-map X permit 10`) and the part of that block (`address-family ipv4 unicast`). The head of
 * a block or part is a statement, too. Ours are told by marks: the tag of a static, the description
 * of a neighbour, names that begin with MESHGW. All the rest is foreign, and kept only so that
 * diff.h can warn about it.
 *
 * FRR shows one configuration, but each daemon has its own copy of the policy, and shows lines that
 * another has lost: bgpd restarted has no prefix-list of ours while zebra goes on showing it, and
 * what mgmtd has forgotten it does not remove. So the two are asked by themselves as well.
 *
 * Any bytes are taken; what is no configuration gives no statements. The text is copied, because
 * it holds passwords: the copy is wiped by frr_running_clear(), and no function prints a statement.
 */
#include "frr/model.h"
#include "lib/err.h"

constexpr size_t FRR_RUNNING_MAX = 64UL * 1024 * 1024;

struct frr_statement {
	const char *block, *part; /* "" = none */
	const char *text;         /* without indentation */
	bool ours;
	bool in_bgpd, in_mgmtd; /* that daemon has it, as far as it was asked */
};

struct frr_running {
	struct frr_statement *list; /* in the order of the text */
	size_t n;
	const char *bgp; /* the block of `router bgp` in the default VRF; nullptr = there is none */
	uint32_t asn;    /* its number, 0 = there is none */
	struct addr *neighbors; /* ours in it, by their description; sorted */
	size_t n_neighbors;
	char *text; /* owns the bytes of all of them */
	size_t len;
};

/* 0 and *out (owned by the caller), or -EINVAL (it does not end with the line "end", so it is cut
 * off or no configuration at all), or -EFBIG, with a sentence; *out is then empty. */
[[nodiscard]] int frr_running_read(
	const char *text, size_t len, struct frr_running *out, struct err *err);
/* What one daemon says by itself (`show running-config bgpd`, `… mgmtd`): sets in_bgpd or in_mgmtd
 * of each statement. A text that is no configuration changes nothing. */
void frr_running_confirm(
	struct frr_running *running, enum frr_daemon daemon, const char *text, size_t len);
void frr_running_clear(struct frr_running *running);

/* Is anything of ours in it? */
bool frr_running_has_ours(const struct frr_running *running);

bool frr_running_is_ours(const struct frr_running *running, const struct addr *neighbor);
/* After a script of ours that was cut off: a neighbour of which nothing but its first statements
 * runs (remote-as, no activate) is ours, though its description is not there yet. */
void frr_running_claim(struct frr_running *running, const struct addr *neighbor);

/* Which neighbour (by its first word: address, interface or peer-group) and which setting of it the
 * statement is about: true for "neighbor 10.0.1.1 bfd" and "no neighbor 10.0.1.1 activate". */
bool frr_statement_neighbor(const char *text, const char **peer, const char **setting);
