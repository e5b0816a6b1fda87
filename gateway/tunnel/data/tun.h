/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tun: packets from and to the kernel, through a TUN device that somebody else opened.
 *
 * The descriptor was opened with IFF_TUN, IFF_NO_PI and, for speed, IFF_VNET_HDR; it needs no
 * privilege afterwards. tun_new() asks for every offload that the kernel has. What it reads are
 * super-packets then, for segment.h; what it writes goes through coalesce.h. Without IFF_VNET_HDR
 * packets come and go one by one. What is missing is said once.
 *
 * It does not know what is in a packet, and waits for nothing: the descriptor is made non-blocking.
 */
#include "lib/err.h"
#include <linux/virtio_net.h>
#include <stddef.h>
#include <stdint.h>

struct tun;

/* In front of what tun_read() reads, free to be written to: the vnet header was there. */
constexpr size_t TUN_HEADROOM = 16;
constexpr size_t TUN_BUFFER = TUN_HEADROOM + 65'536 + 64;

struct tun_counters {
	uint64_t read, written; /* calls: of super-packets, too */
	uint64_t read_bytes, written_bytes;
	uint64_t lost; /* packets that the kernel did not take */
};

/* Takes the descriptor, also when it fails. */
[[nodiscard]] int tun_new(int take_fd, struct tun **out, struct err *err);
void tun_free(struct tun *t); /* nullptr is allowed */
int tun_fd(const struct tun *t);
/* Is this another descriptor of the same device? */
bool tun_is_same(const struct tun *t, int fd);
const struct tun_counters *tun_counters(const struct tun *t);

/* A packet into buffer + TUN_HEADROOM. Its length; -EAGAIN when there is none; another -errno when
 * the device is gone. */
[[nodiscard]] int tun_read(struct tun *t, struct virtio_net_hdr *vnet, uint8_t buffer[TUN_BUFFER]);

/* Packets of at most 64 KiB each, copied; they are with the kernel after tun_flush(). */
void tun_write(struct tun *t, const uint8_t *packet, size_t n);
void tun_flush(struct tun *t);
