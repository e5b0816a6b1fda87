/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * bridge_ask: the questions of the HTTP bridge: why does a target not answer?
 *
 * There are two sorts. One is about a Worker's way to a target: somebody has asked the bridge. The
 * other is about the bridge's own way to an upstream of it that has just failed: that is asked at
 * once (diagnose/outgoing.h), and what is found out answers the first sort, too, when it only
 * looks.
 *
 * The bridge is asked by strangers, so what it asks is bounded here whatever it says: only targets
 * that the configuration names; one diagnosis a target at a time, which all who ask share, and
 * whose verdict is kept for BRIDGE_ASK_KEPT_US; no more of a sort than BRIDGE_ASKS_AT_ONCE
 * together, which leaves some to operators. A diagnosis goes on when its askers have given up: the
 * next one finds the verdict.
 */
#include "conf/config.h"
#include "daemon/bridge_upstream.h"
#include "daemon/server.h"

constexpr uint64_t BRIDGE_ASK_KEPT_US = 5'000'000;
constexpr size_t BRIDGE_ASKS_AT_ONCE = 2;
constexpr size_t BRIDGE_ASKS_KEPT = 64;
constexpr uint64_t BRIDGE_ASK_DEFAULT_US = 3'000'000;
constexpr uint64_t BRIDGE_ASK_MIN_US = 500'000;
constexpr uint64_t BRIDGE_ASK_MAX_US = 10'000'000;
/* Of a diagnosis: one that only looks, one that sends, and one of the bridge's own way. */
constexpr uint64_t BRIDGE_ASK_PASSIVE_US = 1'500'000;
constexpr uint64_t BRIDGE_ASK_ACTIVE_US = 6'000'000;
constexpr uint64_t BRIDGE_ASK_OWN_US = 4'500'000;

enum bridge_ask_kind {
	BRIDGE_ASK_PASSIVE,
	BRIDGE_ASK_ACTIVE,
	BRIDGE_ASK_OWN, /* the bridge's own way */
	BRIDGE_ASK_KINDS,
};

struct bridge_asks;

struct bridge_asks *bridge_asks_new(sd_event *event, struct server_context *context);
/* Whoever still waits is told nothing. */
void bridge_asks_free(struct bridge_asks *a);

/* Does the configuration name this target, in whatever spelling? canonical, of AUTHORITY_STRLEN, is
 * written if so. */
bool bridge_ask_is_allowed(const struct config *config, const char *target, char *canonical);

/* Answer the call on this link, now or later. client: the userdata of its connection. */
int bridge_ask(struct bridge_asks *a, sd_varlink *link, void *client, const char *canonical,
	bool active, uint64_t deadline_us);
int bridge_ask_own(struct bridge_asks *a, sd_varlink *link, void *client,
	const struct bridge_upstream_ask *upstream, uint64_t deadline_us);
