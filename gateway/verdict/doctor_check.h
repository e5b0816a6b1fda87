/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * doctor_check: what a check of the doctor says, and the table of them. Private to this room.
 */
#include "verdict/decide_view.h"
#include "verdict/doctor.h"
#include "verdict/verdict.h"

/* Begins as a pass without a reason. */
struct doctor_said {
	enum doctor_outcome outcome;
	char reason[FACT_SAYS_LEN];
	enum code code;
	struct verdict_attribute attributes[4]; /* for the remedy */
	size_t n_attributes;
	const char *remedy; /* nullptr = that of the code */
	bool taken;         /* what was said last counts; else what follows it does not either */
};

/* The worst that is said counts, of several the first. code: CODES = none. */
[[gnu::format(printf, 4, 5)]] void doctor_say(
	struct doctor_said *s, enum doctor_outcome outcome, enum code code, const char *fmt, ...);
[[gnu::format(printf, 3, 4)]] void doctor_set(
	struct doctor_said *s, const char *name, const char *fmt, ...);

void doctor_remedy(struct doctor_said *s, const char *remedy);

struct doctor_row {
	const char *name, *title;
	const char *needs; /* name of a check in front that must not have failed; nullptr */
	void (*run)(const struct view *v, struct doctor_said *s);
};

/* Of the interfaces and routes; of filters, BGP and the rest. */
void doctor_tunnel(const struct view *v, struct doctor_said *s);
void doctor_lan(const struct view *v, struct doctor_said *s);
void doctor_forwarding(const struct view *v, struct doctor_said *s);
void doctor_forwarding_v6(const struct view *v, struct doctor_said *s);
void doctor_rp_filter(const struct view *v, struct doctor_said *s);
void doctor_return_routes(const struct view *v, struct doctor_said *s);
void doctor_rules(const struct view *v, struct doctor_said *s);
void doctor_lan_routes(const struct view *v, struct doctor_said *s);
void doctor_mtu(const struct view *v, struct doctor_said *s);

void doctor_warp_filter(const struct view *v, struct doctor_said *s);
void doctor_filters(const struct view *v, struct doctor_said *s);
void doctor_legacy(const struct view *v, struct doctor_said *s);
void doctor_nat(const struct view *v, struct doctor_said *s);
void doctor_leftovers(const struct view *v, struct doctor_said *s);
void doctor_bgp(const struct view *v, struct doctor_said *s);
void doctor_bgp_neighbours(const struct view *v, struct doctor_said *s);
void doctor_bgp_prefixes(const struct view *v, struct doctor_said *s);
void doctor_conntrack(const struct view *v, struct doctor_said *s);
void doctor_clock(const struct view *v, struct doctor_said *s);
void doctor_platform(const struct view *v, struct doctor_said *s);

/* Has the LAN a network of this family, by what was asked? Without any network all count. */
bool doctor_is_networked(const struct view *v, uint8_t family);

/* What the kernel's answer to a question about a sample address says to a reader. */
const char *doctor_lookup_str(const struct fact_lookup *l, char buf[static FACT_TEXT_LEN]);
