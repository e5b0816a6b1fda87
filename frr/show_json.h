/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * show_json: one JSON document of FRR's into facts.
 *
 * Each reader takes what a command printed, as parsed, and fills its struct with what it finds;
 * a missing key or one of another type leaves the field as it is.
 */
#include "frr/show.h"
#include <systemd/sd-json.h>

/* The answer as a document, nullptr if it is none. Owned by the caller. */
[[nodiscard]] sd_json_variant *show_parse(struct frr_answer answer);

/* `show bgp neighbors X json` */
void show_read_session(sd_json_variant *v, struct frr_session *out);
/* `show ip route P json`, `show ipv6 route P json` */
void show_read_route(sd_json_variant *v, struct frr_prefix_state *out);
/* `show bgp ipv4 unicast P json`; its neighbours are called back by name. */
void show_read_bgp(sd_json_variant *v, struct frr_prefix_state *out,
	void (*advertised)(void *userdata, const char *peer), void *userdata);
