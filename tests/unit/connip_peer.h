/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * connip_peer: what a peer of a session may send, built by hand from text, and what a session told.
 *
 * The builder shares no code with the writers under test: capsules are laid out here a second time,
 * from the RFCs, right or wrong as a test wants them.
 */
#include "connip/session.h"

struct wire {
	uint8_t b[16384];
	size_t n;
};

void wire_bytes(struct wire *w, const void *p, size_t n);
void wire_octet(struct wire *w, unsigned octet);
/* In the shortest form, or in so many bytes. */
void wire_varint(struct wire *w, uint64_t value);
void wire_varint_in(struct wire *w, uint64_t value, size_t size);
/* "ID ADDR/LEN", separated by ", ": RFC 9484 4.7.1, 4.7.2. Bits behind the length stay. */
void wire_addresses(struct wire *w, const char *text);
/* "FIRST-LAST/PROTO", separated by ", ": RFC 9484 4.7.3. */
void wire_ranges(struct wire *w, const char *text);
void wire_capsule(struct wire *w, uint64_t type, const struct wire *value);

/* Short forms of whole capsules. */
void wire_assign(struct wire *w, const char *addresses);
void wire_request(struct wire *w, const char *addresses);
void wire_advertise(struct wire *w, const char *ranges);

/* A session whose events are written down, one word after the other:
 * "assigned[0 10.0.0.1/32; denied …; refused …] routes[10.0.0.0-10.0.0.255/0 of 1]" … */
struct peer {
	struct connip_session *s;
	char log[8192];
	/* The list that is given at once when the peer asks, nullptr = nothing happens. */
	const struct connip_address *give;
	size_t n_give;
};

void peer_init(struct peer *p, enum connip_role role, const struct connip_policy *policy);
void peer_clear(struct peer *p);
/* Feeds it in pieces of `step` bytes, each in memory of exactly its size. */
int peer_receive(struct peer *p, const struct wire *w, size_t step, bool fin);
/* All that the session has to send, taken in pieces of `step` bytes. */
struct wire peer_sent(struct peer *p, size_t step);

struct prefix pfx(const char *text);
/* From a compound literal of prefixes. */
#define PREFIXES(...)                                                   \
	((struct connip_prefixes){(const struct prefix[]){__VA_ARGS__}, \
		sizeof((const struct prefix[]){__VA_ARGS__}) / sizeof(struct prefix)})
