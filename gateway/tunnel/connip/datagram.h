/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * datagram: what stands in front of a packet in an HTTP Datagram (RFC 9484 6).
 *
 * Each begins with a Context ID. 0 means a whole IP packet; this end registers no other context and
 * knows no extension that would, so what carries one is dropped without a word (section 6), and so
 * is what ends before its Context ID does.
 */
#include "connip/varint.h"

/* What is written in front of each packet: Context ID 0. */
constexpr uint8_t DATAGRAM_PACKET[] = {0};
/* Of a context that nobody registers: it is dropped there, and acknowledged by QUIC. */
constexpr uint8_t DATAGRAM_NOTHING[] = {63};

enum datagram_kind {
	DATAGRAM_IS_PACKET,
	DATAGRAM_IS_UNKNOWN, /* a context that nobody registered */
	DATAGRAM_IS_CUT,     /* ends inside its Context ID */
};

/* Says what n bytes of HTTP Datagram payload are; *at is where the packet begins. */
static inline enum datagram_kind datagram_read(const uint8_t *payload, size_t n, size_t *at)
{
	uint64_t context;
	size_t size = varint_read(payload, n, &context);

	if (size == 0)
		return DATAGRAM_IS_CUT;
	if (context != 0)
		return DATAGRAM_IS_UNKNOWN;
	*at = size;
	return DATAGRAM_IS_PACKET;
}
