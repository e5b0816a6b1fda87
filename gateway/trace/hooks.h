/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hooks: the observer's BPF programs (trace.bpf.c), from this side.
 *
 * Loading them takes CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN; everything behind hooks_open() takes
 * none. What the kernel or the privileges do not allow is left out and says why. hooks_close(),
 * and the end of the process, leave nothing behind. (libbpf is included by hooks.c and reasons.c.)
 */
#include "lib/err.h"
#include "trace/capture.h"

struct hooks;

/* drops, injection: why this part is missing, code 0 = it is there. */
struct hooks *hooks_open(struct err *drops, struct err *injection);
void hooks_close(struct hooks *h); /* nullptr is allowed */

/* Of a packet socket's filter (SO_ATTACH_BPF); -1 = there is none. */
int hooks_filter_fd(const struct hooks *h);
/* Readable when the kernel let go of something; -1 = it does not tell. */
int hooks_event_fd(const struct hooks *h);

/* From now on this flow, at these interfaces, and never another one. netns: inode number of the
 * network namespace. 0 or -errno with a sentence. */
[[nodiscard]] int hooks_arm(struct hooks *h, const struct request *request,
	const unsigned ifindex[static CAPTURE_INTERFACES], uint32_t netns, struct err *err);
/* No drops any more. */
void hooks_disarm(struct hooks *h);

/* Hands what the kernel has told to `gather`, some of it. */
void hooks_read(struct hooks *h, struct gather *gather);

/* A packet with an Ethernet header enters by the interface. 0 or -errno with a sentence. */
[[nodiscard]] int hooks_inject(struct hooks *h, const uint8_t *packet, size_t len, struct err *err);
