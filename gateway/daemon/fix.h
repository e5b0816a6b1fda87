/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fix: repairs of what a verdict names, as data. Pure: verdict and evidence in, steps out; the
 * steps are done by fix_do.h, and never by the daemon of its own accord.
 *
 * A step is typed and names exactly one object: the sysctl that was read, the route that answered,
 * the rule of a filter that was seen to drop. There is no shell text in it, and nothing that the
 * evidence does not name is touched. What is done is the operator's: it is logged with what was
 * there before, not kept up, and not undone by `meshgw down`.
 *
 * The codes with a planner here are those of which the table of codes says that a fix exists
 * (verdict/code.h).
 */
#include "net/netconf.h"
#include "net/route.h"
#include "net/rule.h"
#include "nft/mend.h"
#include "nft/mend_nat.h"
#include "verdict/verdict.h"

enum fix_kind {
	FIX_SYSCTL,
	FIX_ROUTE,    /* is deleted */
	FIX_RULE_ADD, /* of policy routing */
	FIX_RULE_DEL,
	FIX_CONNTRACK, /* entries without an answer are deleted */
	FIX_ACCEPT,    /* in another program's chain */
	FIX_NAT_TABLE, /* table inet nat is deleted (nft/mend_nat.h) */
	FIX_APPLY,     /* the configuration is applied (again) */
	FIX_KINDS,
};

struct fix_sysctl {
	char key[SYSCTL_KEY_LEN];
	int to;
	int from;      /* -1 = not read yet */
	bool at_least; /* a limit: never lowered */
};

/* As a lookup told of it. */
struct fix_route {
	struct route route; /* oif 0: by the name */
	char interface[IFNAMSIZ];
	char type[16];
};

struct fix_accept {
	uint8_t family; /* of the table, NFPROTO_x */
	char table[FACT_NAME_LEN], chain[FACT_NAME_LEN];
	uint64_t handle; /* 0 = the chain's policy */
	char text[FACT_TEXT_LEN];
	struct nft_accept accept;
};

struct fix_step {
	enum fix_kind kind;
	struct fix_sysctl sysctl;
	struct fix_route route;
	struct rule rule;            /* FIX_RULE_ADD */
	char rule_text[RULE_STRLEN]; /* FIX_RULE_DEL: as `ip rule` prints it */
	struct prefix from, to;      /* FIX_CONNTRACK */
	struct fix_accept accept;
	char nat[NFT_NAT_STRLEN]; /* FIX_NAT_TABLE: its rules */
};

constexpr size_t FIX_STEPS = 24;
struct fix {
	struct fix_step list[FIX_STEPS];
	size_t n;
};

/* Is there a planner for it? */
bool fix_knows(enum code code);
/* Is it repaired by the configuration alone (FIX_APPLY), whatever the evidence is? */
bool fix_applies(enum code code);
/* The steps against the cause that the verdict names. 0; -EOPNOTSUPP with a sentence: there is no
 * repair, or not on this evidence. */
[[nodiscard]] int fix_plan(
	const struct verdict *v, const struct evidence *e, struct fix *out, struct err *err);

struct fix_step *fix_add(struct fix *f, enum fix_kind kind);

/* In the words of an Operation. Both return buf. */
constexpr size_t FIX_TEXT_LEN = 384;
const char *fix_name(const struct fix_step *step, char buf[static FIX_TEXT_LEN]);
const char *fix_detail(const struct fix_step *step, char buf[static FIX_TEXT_LEN]);
const char *fix_action_str(enum fix_kind kind); /* "delete" */
const char *fix_kind_str(enum fix_kind kind);   /* "route" */
