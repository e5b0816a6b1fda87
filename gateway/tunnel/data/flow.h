/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * flow: what coalesce.h must know of a packet: whose flow it is in, and what it has in common with
 * the others there.
 *
 * Only a plain packet can be joined with others: whole, without IP options or extension headers,
 * with a right IP checksum, with a payload, and of TCP with no other flags than ACK, PSH, FIN and
 * ECE.
 */
#include <stddef.h>
#include <stdint.h>

struct flow {
	const uint8_t *packet;
	uint8_t proto; /* 0 = not known, the rest then says nothing */
	bool v6;
	bool joins;           /* may it be a part of a super-packet? */
	uint8_t flags;        /* of TCP */
	uint16_t l4, head_n;  /* where TCP or UDP and where the payload begin */
	uint16_t check;       /* where the checksum is, from l4 */
	uint16_t addresses;   /* where they are: the source, then the destination */
	uint16_t addresses_n; /* both */
	uint32_t seq;         /* of TCP */
	size_t payload_n;
	uint64_t sum; /* pseudo header and l4 header: with the payload's it folds to 0xffff */
};

void flow_read(struct flow *f, const uint8_t *packet, size_t n);

/* The same addresses, ports and protocol. */
bool flow_same(const struct flow *a, const struct flow *b);

/* Do the headers of two packets of one flow, of which the second is the n-th behind the first,
 * differ only where the kernel's segmentation makes them differ? */
bool flow_alike(const struct flow *first, const struct flow *f, uint32_t n);
