/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * flow_watch: watching at run time: hears of flows (net/ct_events.h), judges which fail
 * (flow_track.h), finds out why (glance.h, verdict.h), keeps that (flow_store.h) and tells who
 * follows.
 *
 * It must never cost more than it is worth. Events are read in bunches, at a lower priority than
 * everything else the daemon does; a cause is looked for at most every FLOW_WATCH_CAUSE_US, and so
 * that all looking together takes no more than a FLOW_WATCH_SHARE-th of the time; what is too much
 * is lost, and counted.
 */
#include "daemon/server.h"

struct flow_watch;

constexpr uint64_t FLOW_WATCH_BUNCH_US = 20'000;
constexpr uint64_t FLOW_WATCH_TICK_US = 250'000;
constexpr uint64_t FLOW_WATCH_CAUSE_US = 500'000;
constexpr uint64_t FLOW_WATCH_SHARE = 25;
constexpr uint64_t FLOW_WATCH_TELL_US = 500'000; /* of one row */
constexpr size_t FLOW_WATCH_FOLLOWERS = 64;

struct flow_watch *flow_watch_new(sd_event *event, struct server_context *context);
void flow_watch_free(struct flow_watch *w); /* nullptr is allowed */
/* The configuration, or what is known of it, may have changed. */
void flow_watch_step(struct flow_watch *w);

/* Rows that are shown, as GetStatus has them, the caller's; nullptr = it is not watching. */
sd_json_variant *flow_watch_rows(const struct flow_watch *w);
/* Everything that is known, then each change, until the client goes. -ENOTCONN: it is not
 * watching, why says the reason; -EBUSY: too many follow. */
[[nodiscard]] int flow_watch_follow(
	struct flow_watch *w, sd_varlink *link, void *client, struct err *err);
