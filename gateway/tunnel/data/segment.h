/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * segment: what a TUN device with IFF_VNET_HDR gives, made into packets that may go on a wire.
 *
 * With TUNSETOFFLOAD the kernel hands over TCP and UDP super-packets of up to 64 KiB (TSO, USO) and
 * leaves checksums half done. A super-packet becomes packets of {header, payload slice}: headers
 * are written into the caller's memory, the payload is never copied. The rules are those of the
 * kernel's own segmentation (net/ipv4/tcp_offload.c, tcp_gso_segment; udp_offload.c,
 * __udp_gso_segment). A packet that is none comes out as it is, its checksum completed in place.
 *
 * Pure: bytes in, bytes out. What a header of the kernel's cannot mean is refused, not guessed.
 */
#include <linux/virtio_net.h>
#include <stddef.h>
#include <stdint.h>

/* Longest header of IP and TCP together, with IPv6 extension headers; longer ones are refused. */
constexpr size_t SEGMENT_HEAD_MAX = 256;

struct segment_piece {
	uint8_t *head;
	size_t head_n;
	const uint8_t *payload; /* nullptr if head is the whole packet */
	size_t payload_n;
};

struct segment {
	uint8_t *packet;
	size_t n;      /* of the packet */
	size_t l4;     /* where TCP or UDP begins */
	size_t head_n; /* where the payload begins */
	size_t at;     /* where the next payload begins; n = all done */
	size_t size;   /* of a payload; 0 = this is no super-packet */
	uint64_t pseudo;
	uint32_t count; /* packets so far */
	bool v6, udp;
};

/* 0 or -EBADMSG. The packet is borrowed and is written to. */
[[nodiscard]] int segment_begin(
	struct segment *s, const struct virtio_net_hdr *vnet, uint8_t *packet, size_t n);

/* The next packet; false when there is none left. `head` has room for SEGMENT_HEAD_MAX bytes. */
bool segment_next(struct segment *s, uint8_t *head, struct segment_piece *out);
