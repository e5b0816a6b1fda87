/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * coalesce: packets that come one by one, made into few large ones for a TUN device with
 * IFF_VNET_HDR. It is the other direction of segment.h: what goes in comes out of segment_next()
 * again, byte for byte.
 *
 * TCP segments of one flow that follow each other without a gap, and UDP datagrams of one flow and
 * one size, become one super-packet. The rules are those of the kernel's GRO (net/ipv4/
 * tcp_offload.c, tcp_gro_receive): everything in the headers but sequence, length, checksums and
 * PSH or FIN at the end must be the same; a shorter payload or PSH ends it. Checksums are verified
 * before they are given up. The identification of an IPv4 packet that must not be fragmented means
 * nothing (RFC 6864 section 4.1) and may change.
 *
 * Packets of one flow never overtake each other. What is not to be joined goes through as it is,
 * wrong checksums included. Each payload is copied once; nothing is allocated after coalesce_new().
 * Pure: who writes the result is tun.h.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct coalesce;

constexpr size_t COALESCE_PIECES_MAX = 130; /* of one item */

struct coalesce_limits {
	bool tcp, udp; /* what may be joined */
};

struct coalesce *coalesce_new(const struct coalesce_limits *limits);
void coalesce_free(struct coalesce *c); /* nullptr is allowed */

/* Takes a copy. False when it is full: take what is there, call coalesce_reset(), and try again;
 * an empty one takes any packet of up to UINT16_MAX bytes. */
[[nodiscard]] bool coalesce_add(struct coalesce *c, const uint8_t *packet, size_t n);

/* Ends all super-packets: how many items there are, in the order of their first packets. */
size_t coalesce_finish(struct coalesce *c);

/* Item i as pieces of memory, a struct virtio_net_hdr in front; how many they are. */
size_t coalesce_item(const struct coalesce *c, size_t i, struct iovec pieces[COALESCE_PIECES_MAX]);

void coalesce_reset(struct coalesce *c);
