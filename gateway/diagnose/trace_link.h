/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * trace_link: the client of meshgw-trace: one connection is one observation.
 *
 * The program parses packets and has no privileges left; what it sends are facts (told.h). Each
 * message carries all of them, so the last one counts. The observation ends with the connection.
 */
#include "diagnose/injection.h"
#include "verdict/evidence.h"
#include <systemd/sd-event.h>

struct trace_link;

struct trace_options {
	const char *socket;
	struct flow flow;            /* client: whom the injected packets are from */
	struct addr own;             /* this host's address on the LAN; AF_UNSPEC = not known */
	struct addr prober;          /* what probes of the way back come from; AF_UNSPEC = none */
	const struct prefix *ranges; /* sources of real flows */
	size_t n_ranges;
	const char *mesh, *lan, *egress;     /* interfaces; nullptr = none */
	const struct injections *injections; /* nullptr = only look */
	uint64_t duration_us;
	/* It observes, or never will: trace_link_why() tells. Called once. */
	void (*ready)(void *arg, bool observing);
	void (*changed)(void *arg); /* there are other facts than before */
	void *arg;
};

/* Borrows nothing. 0, or -errno with a sentence when nobody listens. */
[[nodiscard]] int trace_link_new(sd_event *event, const struct trace_options *options,
	struct trace_link **out, struct err *err);
void trace_link_free(struct trace_link *t); /* nullptr is allowed */

/* What it said last. */
const struct evidence *trace_link_facts(const struct trace_link *t);
const char *trace_link_why(const struct trace_link *t); /* "" = nothing is wrong */
