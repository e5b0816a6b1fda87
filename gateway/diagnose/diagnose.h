/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * diagnose: collects the evidence about one flow, from beginning to end.
 *
 *   static facts, counters ─▶ observers ready ─▶ packets sent ─▶ answers, or time over ─▶ facts
 *
 * A packet of the mesh is imitated where it enters: meshgw-trace puts it behind the mesh interface,
 * so it meets the routes, rules and translations that a Worker's packet meets (injection.h). Its
 * answer is seen on its way into the tunnel and kept out of it by a table of this diagnosis alone
 * (nft/diag.h), which goes with its socket. Beside it this host asks for itself (own_probe.h). A
 * passive diagnosis sends nothing and waits for packets of real flows.
 *
 * Every observer may be missing; then a fact says so and the rest goes on. Nothing is concluded
 * here: that is verdict/verdict.h. All waiting is done by the event loop. Dumps block it for their
 * time; tables of routes are read at most once, and only to explain an answer of the kernel's that
 * is no good (100 ms with 200,000 routes).
 */
#include "conf/config.h"
#include "verdict/evidence.h"
#include <systemd/sd-event.h>

constexpr uint64_t DIAGNOSE_LIMIT_US = 10'000'000;
constexpr uint64_t DIAGNOSE_LIMIT_MIN_US = 500'000;
constexpr uint64_t DIAGNOSE_LIMIT_MAX_US = 60'000'000;
constexpr size_t DIAGNOSE_MAX = 4; /* at the same time */

struct diagnosis;
struct probe_tls; /* probe_link.h */

struct diagnose_options {
	struct flow flow; /* client AF_UNSPEC: the unused address of the range of flow.from */
	bool passive;
	uint64_t limit_us;
	const struct config *config; /* borrowed until the end */
	struct addr prober; /* what meshgwd's probes of the way back come from; AF_UNSPEC = none */
	const char *trace_socket, *probe_socket;
	const struct probe_tls *tls; /* how an https service is spoken to; borrowed until the end;
					nullptr = as its name says */
	/* Adds what only the daemon knows (config, conditions, BGP), at the end. */
	void (*tell)(void *arg, struct evidence *e);
	/* The end: *e is the caller's to clear. Not called after diagnose_cancel(). */
	void (*done)(void *arg, struct evidence *e);
	void *arg;
};

/* Does the configuration know whose flow this is? Fills in flow->client and flow->from ("" =
 * workers), or says why not (-EINVAL, -EADDRNOTAVAIL). */
[[nodiscard]] int diagnose_client(const struct config *config, struct flow *flow, struct err *err);

/* Gives what is collected a name, and the time. */
void diagnose_identify(struct evidence *e);

/* Begins. 0, or -EBUSY when DIAGNOSE_MAX are under way. */
[[nodiscard]] int diagnose_start(
	sd_event *event, const struct diagnose_options *options, struct diagnosis **out);
void diagnose_cancel(struct diagnosis *d); /* nullptr is allowed */
