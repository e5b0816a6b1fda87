/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * probe_link: the client of meshgw-probe: speaks to a service, or asks for a name. One connection,
 * one question.
 */
#include "lib/api_probe.h"
#include "verdict/evidence.h"
#include <systemd/sd-event.h>

struct probe_link;

/* Of a name; what is beyond is left out. */
constexpr size_t PROBE_ADDRESSES_MAX = API_PROBE_ADDRESSES_MAX;
struct probe_addresses {
	struct addr list[PROBE_ADDRESSES_MAX];
	size_t n;
};

/* What a client of the service knows of it. */
struct probe_tls {
	const char *server_name; /* nullptr = the flow's host */
	const char *ca;          /* PEM; nullptr = the system's */
	const char *untalkable;  /* why it cannot be spoken to here; nullptr = it can */
};

struct probe_options {
	const char *socket;
	const struct flow *flow;     /* read at once */
	struct addr source;          /* of the connection; AF_UNSPEC = as rules say */
	const char *interface;       /* it leaves by this one; "" = as rules say */
	const struct probe_tls *tls; /* nullptr = nothing is known; read at once */
	uint64_t timeout_us;
	/* Once: facts of kind L7 and MISSING, borrowed; of a name also its addresses. Not called
	 * after probe_link_free(). */
	void (*done)(void *arg, const struct evidence *facts, const struct probe_addresses *found);
	void *arg;
};

/* What does the service of the flow say? */
[[nodiscard]] int probe_link_ask(sd_event *event, const struct probe_options *options,
	struct probe_link **out, struct err *err);
/* Which addresses has flow->host? */
[[nodiscard]] int probe_link_resolve(sd_event *event, const struct probe_options *options,
	struct probe_link **out, struct err *err);
void probe_link_free(struct probe_link *p); /* nullptr is allowed */
