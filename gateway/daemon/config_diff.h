/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config_diff: what changes between two configurations, in words, for `meshgw plan`.
 *
 * A configuration is taken as a set of statements: the mesh interface, each range, each network
 * with its mode, each host that departs from it, each witness, each entry of the allow list
 * ("everything" where there is no list), what departs from the defaults of the probe, whether
 * flows are watched where the file says, of the HTTP bridge each route and of the tunnel each node,
 * and of both each setting that is no default. What only the one or the other says is a change,
 * so that a mode that changes is a statement less and a statement more. Order, repetition and the
 * way a value was written make no difference. BGP and remedies are not among them: their operations
 * say themselves what becomes of others' objects.
 *
 * Pure, and about meaning: whether the kernel holds it is the plan's business.
 */
#include "conf/config.h"

enum config_change_kind {
	CHANGE_INTERFACE,
	CHANGE_RANGE,
	CHANGE_NETWORK,
	CHANGE_HOST,
	CHANGE_WITNESS,
	CHANGE_ALLOW,
	CHANGE_PROBE,
	CHANGE_WATCH,
	CHANGE_BRIDGE,
	CHANGE_TUNNEL
};
const char *config_change_kind_str(enum config_change_kind kind);

struct config_change {
	bool added; /* else taken away */
	enum config_change_kind kind;
	struct prefix about; /* what it is sorted by */
	char *text;          /* "10.0.1.0/24 on eth0: route", "workers to 10.0.1.50 tcp 3000" */
};

struct config_changes {
	struct config_change *list; /* by kind, then prefix; what is taken away first */
	size_t n, cap;
};

/* *out must be empty. nullptr stands for no configuration: all of the other one changes. */
void config_diff(const struct config *from, const struct config *to, struct config_changes *out);
void config_changes_clear(struct config_changes *c);

/* "masquerade, 3 allow entries": the two things that matter most. buf of CONFIG_SUMMARY_LEN. */
constexpr size_t CONFIG_SUMMARY_LEN = 48;
const char *config_summary(const struct config *c, char *buf);
