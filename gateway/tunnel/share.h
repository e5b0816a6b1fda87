/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * share: how much of what the kernel has for the peers a turn reads, and how much of it is sent.
 *
 * The kernel's queue in front of the TUN is one for all peers, and short. Whoever is sent more than
 * can be encrypted fills it, and the others' packets are lost before anybody has seen whose they
 * are. So while several peers get packets a turn reads all that there is, which is cheap; a peer
 * has its share of what is sent at once, and what it gets beyond that goes into its own queue, and
 * when that is full it is dropped. With one peer nothing is gained by that: what is too much waits
 * in the kernel.
 *
 * Pure: no clock, no socket. A turn begins, reads while it may, and asks for each read whether its
 * peer has had its share.
 */
#include <stddef.h>
#include <stdint.h>

/* In every turn, but while several peers get packets. */
constexpr unsigned SHARE_READS = 64;
constexpr size_t SHARE_BYTES = 512 * 1024;
/* While they do. */
constexpr unsigned SHARE_READS_SHARED = 512;
constexpr size_t SHARE_BYTES_SHARED = 2048 * 1024;
constexpr unsigned SHARE_OF_PEER = 16;

struct share {
	uint64_t turn;
	unsigned reads;
	size_t bytes;
	const struct share_part *latest; /* only compared */
	uint64_t shared_until_ns;
};

/* A peer's; zero at first. */
struct share_part {
	uint64_t turn;
	unsigned n;
};

void share_begin(struct share *s);
/* One more? */
[[nodiscard]] bool share_may_read(const struct share *s, uint64_t now_ns);
void share_read(struct share *s, size_t bytes);
/* It was for this peer, which has had its share. */
[[nodiscard]] bool share_is_over(struct share *s, struct share_part *p, uint64_t now_ns);
