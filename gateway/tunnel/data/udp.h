/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * udp: datagrams in batches, through a bound UDP socket that somebody else opened.
 *
 * Received are runs of equally sized datagrams of one sender as the kernel joined them (UDP_GRO),
 * several in a call, each with its ECN bits and the local address that it came to. Sent are runs in
 * the same form (UDP_SEGMENT). Where the kernel or the device has no segmentation, runs are sent
 * datagram by datagram; that is said once. Datagrams are never fragmented on their way, and the
 * kernel's opinion of the path's MTU is not asked (IP_PMTUDISC_PROBE): QUIC finds out by itself
 * (RFC 9000 section 14).
 *
 * Nothing waits: the socket is made non-blocking. What cannot be sent for another reason than a
 * full queue is lost, as it could be on the way; QUIC notices.
 */
#include "lib/err.h"
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

union udp_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Equally sized datagrams, the last one may be shorter. */
struct udp_run {
	union udp_address local, remote; /* local: AF_UNSPEC = as the kernel likes */
	uint8_t *data;
	size_t n;       /* at most UDP_RUN_MAX */
	size_t segment; /* of one datagram */
	uint8_t ecn;    /* two bits */
};

constexpr size_t UDP_RUN_MAX = 65'000; /* with all headers it fits into one IP packet */
constexpr unsigned UDP_SEGMENTS_MAX = 64;
constexpr unsigned UDP_BATCH = 16;

struct udp_counters {
	uint64_t received, sent; /* datagrams */
	uint64_t received_bytes, sent_bytes;
	uint64_t receive_calls, send_calls;
	uint64_t lost;    /* could not be sent */
	uint64_t too_big; /* of these: for the device's MTU */
};

struct udp;

/* Takes the descriptor, also when it fails. */
[[nodiscard]] int udp_new(int take_fd, struct udp **out, struct err *err);
void udp_free(struct udp *u); /* nullptr is allowed */
int udp_fd(const struct udp *u);
const union udp_address *udp_local(const struct udp *u); /* what it is bound to */
const struct udp_counters *udp_counters(const struct udp *u);

/* How many runs there were, at most UDP_BATCH; *runs is valid until the next call. 0 when there is
 * nothing. */
[[nodiscard]] unsigned udp_receive(struct udp *u, const struct udp_run **runs);

/* How many of n runs have been dealt with; less than n when the queue is full: try the rest, as
 * they are then (a run may have become shorter), when the socket is writable. */
[[nodiscard]] unsigned udp_send(struct udp *u, struct udp_run *runs, unsigned n);
