/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * capture: a packet socket (packet(7)) for the mesh interface and those of the LAN.
 *
 * Making it takes CAP_NET_RAW, and then it hears nothing; binding it, with a filter, takes no
 * privilege, so that it can be done for a caller who has been heard. It is one for all interfaces,
 * since the kernel waits for every packet under way when one is closed.
 */
#include "lib/err.h"
#include "trace/gather.h"

constexpr unsigned CAPTURE_INTERFACES = 1 + API_TRACE_LANS_MAX;

struct capture {
	int fd;                               /* -1 = none */
	unsigned ifindex[CAPTURE_INTERFACES]; /* first the mesh's; 0 = there is none */
	const struct request *request;        /* borrowed, once it is started */
};

[[nodiscard]] int capture_open(struct capture *c, struct err *err);
void capture_close(struct capture *c);

/* Which interfaces there are. */
void capture_find(struct capture *c, const struct request *request);
/* Begins to hear, by a filter that nobody can take away again. filter: a BPF program's; -1 = none,
 * then a coarser one does (coarse.h). */
[[nodiscard]] int capture_start(struct capture *c, int filter, struct err *err);

/* Hands what has come to `gather`, at most so many packets; since_us: when the time began. */
void capture_read(
	const struct capture *c, struct gather *gather, unsigned budget, uint64_t since_us);
/* Packets that were not read in time, since the last question. */
unsigned capture_lost(const struct capture *c);
