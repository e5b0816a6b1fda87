/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * wire: TCP and UDP packets as bytes, for tests of what takes packets apart and puts them together.
 * It shares no code with that: checksums are added up byte by byte, as in RFC 1071.
 */
#include <linux/virtio_net.h>
#include <stddef.h>
#include <stdint.h>

constexpr size_t WIRE_MAX = 65'536;

struct wire {
	bool v6, udp, fragmentable;
	uint8_t host; /* last byte of the source's address */
	uint16_t sport;
	uint32_t seq, ack;
	uint8_t flags; /* of TCP, TH_… */
	uint16_t window, id;
	uint8_t tos, ttl;
	uint8_t option; /* TCP: a timestamp's value, 0 = no options */
	const uint8_t *payload;
	size_t payload_n;
	uint16_t gso; /* a super-packet of payloads of this size: checksums are left half done */
};

/* Into out, of WIRE_MAX bytes; its length. */
size_t wire_build(const struct wire *w, uint8_t *out);
/* What the kernel puts in front of it. */
struct virtio_net_hdr wire_vnet(const struct wire *w);

size_t wire_head(const struct wire *w); /* length of all headers */

/* Is every checksum in the packet right? */
bool wire_is_right(const uint8_t *packet, size_t n);

/* `size` bytes that differ from place to place; never freed. */
const uint8_t *wire_payload(size_t size);
