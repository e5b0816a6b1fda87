/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * decide_rule: what a rule of decide*.c says: one finding, and the tables that rules stand in.
 * Private to this room.
 *
 * A rule looks at the view and either has nothing to say or fills in a finding: which facts it
 * rests on, how sure it is, what is to blame. It begins as what its row says. Whether it becomes
 * the verdict depends on its place on the way, and on how far packets were seen (decide.c).
 */
#include "verdict/decide_view.h"
#include "verdict/verdict.h"

struct finding {
	enum code code;
	enum confidence confidence;
	enum way way;
	enum way until;        /* packets that came further were not stopped; WAY_NOWHERE = way */
	enum verdict_point at; /* ATS = that of the place on the way */
	/* It was seen happening to a packet of this origin; else it is how things stand. */
	bool event;
	enum fact_origin origin;
	bool alone;     /* nobody but the diagnosis tried */
	bool of_others; /* packets like the flow's passed there (decide.c) */
	bool stays; /* counts although packets were seen further on: it concerns others of them */
	enum code candidates[VERDICT_CANDIDATES];
	size_t n_candidates;
	struct verdict_attribute attributes[VERDICT_ATTRIBUTES];
	size_t n_attributes;
	const struct fact *cited[VERDICT_EVIDENCE];
	size_t n_cited;
	enum fact_observer wanted[OBSERVERS];
	size_t n_wanted;
};

struct rule {
	enum code code;
	enum way way;
	bool (*when)(const struct view *v, struct finding *f);
};

struct rules {
	const struct rule *list;
	size_t n;
};
/* In the order of the way. */
extern const struct rules rules_enter, rules_tunnel, rules_route, rules_filter, rules_nat,
	rules_lan, rules_icmp, rules_beyond, rules_service, rules_return, rules_size;
/* Of what this host sends itself: those of them that hold for it as well, and its own. */
extern const struct rules rules_enter_own, rules_route_own, rules_lan_own, rules_icmp_own,
	rules_service_own, rules_outgoing;

void finding_cite(struct finding *f, const struct fact *fact); /* nullptr is allowed */
[[gnu::format(printf, 3, 4)]] void finding_set(
	struct finding *f, const char *name, const char *fmt, ...);
/* Left out: empty texts, -1, addresses of no family. */
void finding_set_text(struct finding *f, const char *name, const char *text);
void finding_set_number(struct finding *f, const char *name, int64_t n);
void finding_set_addr(struct finding *f, const char *name, const struct addr *a);
void finding_set_prefix(struct finding *f, const char *name, const struct prefix *p);
/* A family: the first of the codes is shown, and which one it is remains open. */
void finding_family(struct finding *f, size_t n, const enum code codes[]);
#define FINDING_FAMILY(f, ...)                                                      \
	finding_family((f), sizeof((enum code[]){__VA_ARGS__}) / sizeof(enum code), \
		(const enum code[]){__VA_ARGS__})
void finding_may_be(struct finding *f, enum code code); /* one more of the family */
void finding_want(struct finding *f, enum fact_observer observer);

/* A packet's end was seen: the finding is about packets of this origin. */
void finding_event(struct finding *f, const struct fact *fact, enum fact_origin origin);

static inline bool way_is_back(enum way way)
{
	return way >= WAY_BACK_RECEIVE && way <= WAY_TUNNEL_BACK;
}
