/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * own_probe: this host asks the target for itself, from its own address on the LAN.
 *
 * It is what the service sees of a masqueraded flow, and the only way to tell a service that is
 * silent to everybody from one that is silent to the mesh. It says nothing about forwarding: rules
 * of Cloudflare's client may take or refuse what this host sends itself.
 */
#include "verdict/evidence.h"

struct own_probe;

struct own_target {
	enum fact_probe_name probe; /* PROBE_OWN, PROBE_OWN_OTHER, PROBE_OWN_ECHO, PROBE_OWN_HOP */
	uint8_t proto;
	struct addr address;
	uint16_t port;
	uint8_t hops;             /* it goes no farther; 0 = as far as it must */
	char interface[IFNAMSIZ]; /* "" = as rules say */
};

/* Sends. nullptr only out of memory never; what could not be sent is known as OUTCOME_LOCAL. */
struct own_probe *own_probe_new(const struct own_target *target, uint64_t now_us);
void own_probe_free(struct own_probe *p); /* nullptr is allowed */
/* Looks for an answer. Sends again after 400 ms. */
void own_probe_check(struct own_probe *p, uint64_t now_us);
[[nodiscard]] bool own_probe_answered(const struct own_probe *p);
/* There is nothing more to wait for. */
[[nodiscard]] bool own_probe_ended(const struct own_probe *p);
/* Somebody beyond this host has answered, or refused, or sent an error. */
[[nodiscard]] bool own_probe_heard(const struct own_probe *p);
void own_probe_tell(const struct own_probe *p, struct evidence *e);
