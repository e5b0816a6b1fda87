/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * packet: what an IP packet says, read from its bytes.
 *
 * Pure: bytes in, one struct out. The bytes begin with the IP header and may end early, as those
 * of a copy with a limit or of an ICMP error's quotation do; what is not there stays zero and has
 * its flag unset. Checksums are judged only where all that they cover is there.
 */
#include "lib/ip.h"
#include <stddef.h>
#include <stdint.h>

enum packet_checksum { CHECKSUM_UNKNOWN, CHECKSUM_GOOD, CHECKSUM_BAD };

struct packet {
	struct addr from, to;
	uint8_t proto; /* behind extension headers */
	uint8_t ttl;
	uint32_t length; /* of the whole packet, as its header says */
	uint32_t ip_id;  /* 0 without one */
	bool fragment;   /* a part of a packet; only the first has ports */
	bool has_l4;     /* the next ones are there */
	uint16_t sport;  /* of an echo: both are its identifier; of an ICMP error: 0 */
	uint16_t dport;
	uint8_t tcp_flags; /* 0 when the copy ends before them */
	uint32_t seq, ack; /* an echo's sequence number is a seq */
	int mss;           /* option of a segment, -1 = none */
	uint32_t payload;  /* bytes behind the header of TCP, UDP or an echo */
	uint8_t icmp_type, icmp_code;
	uint32_t mtu;    /* of "fragmentation needed" or "packet too big", 0 = not told */
	size_t quote_at; /* an ICMP error's quotation begins here, 0 = it is none */
	enum packet_checksum ip_checksum, l4_checksum; /* IPv6 has no first: good */
};

/* 0, or -EBADMSG: no IP packet, or not even its addresses. */
[[nodiscard]] int packet_parse(const uint8_t *data, size_t len, struct packet *out);

/* The quotation of an ICMP error that was read from the same bytes. -EBADMSG as above, -ENOENT:
 * it quotes nothing. */
[[nodiscard]] int packet_parse_quote(
	const uint8_t *data, size_t len, const struct packet *error, struct packet *out);

/* Is it an echo, a request or an answer? */
bool packet_is_echo(const struct packet *p);
bool packet_is_echo_reply(const struct packet *p);
