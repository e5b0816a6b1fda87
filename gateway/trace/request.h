/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * request: what one diagnosis wants to see and to inject, checked.
 *
 * It comes from meshgwd, and is believed as little as anything that comes from outside: counts,
 * lengths and ranges are what lib/api_trace.h says, addresses are of the family, or it is refused.
 */
#include "lib/api_trace.h"
#include "lib/ip.h"
#include "trace/build.h"
#include <net/if.h>
#include <systemd/sd-json.h>

struct injection {
	uint64_t at_us; /* after the first reply */
	struct build packet;
};

struct request_ports {
	size_t n;
	uint16_t list[API_TRACE_PORTS_MAX];
};
struct request_ranges {
	size_t n;
	struct prefix list[API_TRACE_RANGES_MAX];
};
struct request_lans {
	size_t n;
	char list[API_TRACE_LANS_MAX][IFNAMSIZ];
};
struct request_injections {
	size_t n;
	struct injection list[API_TRACE_INJECTIONS_MAX];
};

struct request {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t proto;
	struct addr client, target, own, prober; /* own, prober: AF_UNSPEC = not told */
	uint16_t port;
	struct request_ports ports; /* source ports of ours, without those of injections */
	struct request_ranges ranges;
	char mesh[IFNAMSIZ];
	struct request_lans lans;
	uint64_t duration_us;
	struct request_injections inject; /* in the order of their time */
};

/* Reads the parameters of Observe. Each injected SYN gets a random sequence number. 0 or -errno;
 * then *bad is the name of the field that is wrong, if it is one. */
[[nodiscard]] int request_read(sd_json_variant *v, struct request *out, const char **bad);

/* Is it the source port (or identifier) of a packet that is injected? of any packet of ours? */
bool request_injects(const struct request *r, uint16_t port);
bool request_is_ours(const struct request *r, uint16_t port);
/* Is it a port of the target that something is sent to? */
bool request_asks(const struct request *r, uint16_t port);
