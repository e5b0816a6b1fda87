/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * icmp: the messages that a tunnel's end sends itself (RFC 9484 7.2.1, 10.1).
 *
 * Forwarding failures are no protocol errors; the sender of the packet is told by ICMP. What must
 * never be answered is decided here, for all callers: ICMP errors, anything to multicast or
 * broadcast (but for packet too big in IPv6), later fragments, sources that name no single host
 * (RFC 4443 2.4 (e), RFC 1812 4.3.2.7). How often is the caller's matter (bucket.h).
 *
 * Messages are written whole, with IP header and checksums, and quote as much as RFC 4443 3 and RFC
 * 1812 4.3.2.3 have them quote.
 */
#include "connip/packet.h"

enum icmp_why {
	ICMP_WHY_SOURCE,     /* the source fails policy: 1/5, IPv4 3/13 */
	ICMP_WHY_NO_ROUTE,   /* no route to the destination: 1/0, IPv4 3/0 */
	ICMP_WHY_PROHIBITED, /* forbidden by policy: 1/1, IPv4 3/13 */
	ICMP_WHY_AWAY,       /* who has the destination is not there: 1/3, IPv4 3/1 */
	ICMP_WHY_TOO_BIG,    /* 2/0, IPv4 3/4 */
};

/* Room for every message that is written here, an echo of the MTU probe included. */
constexpr size_t ICMP_MESSAGE_MAX = 1280;

/* May the packet be answered at all? */
bool icmp_may_answer(const struct packet *p, enum icmp_why why);
/* An ICMP message, n = 0: none. */
struct connip_answer {
	size_t n;
	uint8_t bytes[ICMP_MESSAGE_MAX];
};

/* Writes the answer to a packet that may be answered; from is of its family, mtu of TOO_BIG alone.
 * Returns its size. */
size_t icmp_write_error(uint8_t out[static ICMP_MESSAGE_MAX], const struct packet_bytes *bytes,
	const struct packet *p, enum icmp_why why, number from, uint32_t mtu);

/* The MTU probe (RFC 9484 7.2): an ICMPv6 echo request of exactly 1280 bytes, 1232 of data. */
struct icmp_echo {
	number from, to;
	uint16_t id, sequence;
};
size_t icmp_write_probe(uint8_t out[static ICMP_MESSAGE_MAX], const struct icmp_echo *echo);
/* Is the packet the whole answer to that probe, whoever sent it? */
bool icmp_is_probe_reply(
	const struct packet_bytes *bytes, const struct packet *p, const struct icmp_echo *echo);

/* An ICMPv6 echo request whose answer fits ICMP_MESSAGE_MAX. */
bool icmp_is_echo_request(const struct packet_bytes *bytes, const struct packet *p);
/* Its answer (RFC 4443 4.2). The request has no extension headers behind which it would hide. */
size_t icmp_write_echo_reply(uint8_t out[static ICMP_MESSAGE_MAX], const struct packet_bytes *bytes,
	const struct packet *p, number from);
