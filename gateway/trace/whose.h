/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * whose: to which of the flows that a diagnosis looks at does a packet belong?
 *
 * Packets that were injected are known by their source ports, which nobody else uses, so that they
 * are found again behind source NAT, and behind a translation of the target too. The mesh's own
 * are known by their source's range, and behind source NAT by the port that was seen before it.
 * What is left of the target's is foreign: who that is only the interface tells.
 */
#include "trace/packet.h"
#include "trace/request.h"
#include "verdict/fact.h"

constexpr size_t WHOSE_HOSTS_MAX = 64;
constexpr size_t WHOSE_PORTS_MAX = 64;

struct whose {
	const struct request *request;      /* borrowed */
	struct addr hosts[WHOSE_HOSTS_MAX]; /* addresses of this host */
	size_t n_hosts;
	uint16_t real[WHOSE_PORTS_MAX]; /* source ports of the mesh's own packets, the last ones */
	size_t n_real;                  /* how many there were */
};

struct whose_answer {
	enum fact_origin origin;
	bool to_target;
};

/* Reads this host's addresses of the family. */
void whose_init(struct whose *w, const struct request *request);

bool whose_is_host(const struct whose *w, const struct addr *a);

/* False: of none. */
[[nodiscard]] bool whose_packet(struct whose *w, const struct packet *p, struct whose_answer *out);
