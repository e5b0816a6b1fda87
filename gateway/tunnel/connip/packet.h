/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * packet: what the tunnel must know of an IP packet, read from its headers without copying.
 *
 * A packet may be in two pieces, as the data path has it: `head` with all headers, and the rest of
 * the payload, which is only looked at for quoting it. The protocol is the first one that is no
 * IPv6 extension header (RFC 9484 4.8, RFC 8200 4); the chain is walked inside `head` and for a
 * bounded number of headers. What is refused here is malformed for any router: lengths that
 * disagree with the bytes, an IPv4 header with a wrong checksum (RFC 1812 5.2.2), a first fragment
 * without its whole chain (RFC 7112 5), a routing header of type 0 (RFC 5095).
 */
#include "connip/number.h"

struct packet_bytes {
	const uint8_t *head;
	size_t head_n;
	const uint8_t *rest; /* nullptr if rest_n is 0 */
	size_t rest_n;
};

struct packet {
	uint8_t family;
	uint8_t ttl;   /* or Hop Limit */
	int proto;     /* ROUTES_PROTO_UNKNOWN: of a later fragment, behind its extension headers */
	bool fragment; /* a part of a packet */
	bool later_fragment; /* not the first one: no upper-layer header is in it */
	bool dont_fragment;  /* no router may fragment it: always so in IPv6 */
	size_t length;
	size_t upper_at; /* where the upper-layer header begins; 0 = it is not in `head` */
	number from, to;
	int icmp_type; /* of ICMP in its own family; -1 = it is none, or the type is not there */
	int icmp_code;
};

/* 0, or -EBADMSG: a packet that no router would forward. */
[[nodiscard]] int packet_read(const struct packet_bytes *bytes, struct packet *out);
/* The packet that an ICMP error quotes: its addresses and, if they are there, protocol and so on.
 * Lengths and checksum prove nothing in a quotation. -ENOENT: the packet is no ICMP error, or what
 * it quotes is cut too short. */
[[nodiscard]] int packet_read_quote(
	const struct packet_bytes *bytes, const struct packet *error, struct packet *out);

/* ICMP or ICMPv6, each in its own family. */
bool packet_is_icmp(const struct packet *p);
/* An error message: RFC 4443 2.1 (types below 128), RFC 1812 4.3.2.7. A type that is not there or
 * that nobody knows counts as one in IPv4, so that it is never answered. */
bool packet_is_icmp_error(const struct packet *p);

/* 0 to 63 (RFC 2474 3); 0 if there is no header that has one. */
uint8_t packet_dscp(const uint8_t *head, size_t n);

/* What is special about an address: bits. */
enum packet_addr {
	PACKET_ADDR_LINK_LOCAL =
		1 << 0, /* not beyond its link: unicast, or multicast of that scope */
	PACKET_ADDR_MULTICAST = 1 << 1,
	PACKET_ADDR_BROADCAST = 1 << 2, /* 255.255.255.255 */
	PACKET_ADDR_NOBODY = 1 << 3, /* unspecified, loopback, reserved: names no host on a wire */
};
unsigned packet_addr_bits(uint8_t family, number addr);
