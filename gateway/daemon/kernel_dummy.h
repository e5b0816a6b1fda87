/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kernel_dummy: a kernel in memory, for tests and fuzzing. It behaves like the real one in what
 * the reconciler relies on (routes go with their link, the same route cannot be added twice, a
 * lookup takes the longest prefix), and any of its writes can be made to fail.
 *
 * Its state is open: tests set it up and look at it. dummy_load() reads it from text, one fact a
 * line, for golden files:
 *
 *   link 3 CloudflareWARP up mtu 1280        (up, down or no-carrier)
 *   address 3 100.96.0.18/32                 (" ra" behind it: from a router advertisement)
 *   sysctl ipv4/conf/eth0/forwarding 0
 *   route 10.0.1.0/24 dev 2 proto 2 metric 0
 *   nft                                      (table inet meshgw exists, contents unknown)
 */
#include "daemon/kernel.h"

struct dummy_sysctl {
	char key[SYSCTL_KEY_LEN];
	int value;
};

struct kernel_dummy {
	struct kernel base;
	struct link_set links;
	struct ifaddr_set addresses;
	struct route_set routes;
	struct dummy_sysctl *sysctls;
	size_t n_sysctls, cap_sysctls;
	struct nft_state nft;
	uint64_t nft_serial;
	unsigned conntrack_calls;

	unsigned writes;     /* writes tried so far */
	unsigned fail_at;    /* the write with this number (from 1) fails … */
	unsigned fail_times; /* … and so do those after it, this many in all */
	int fail_error;      /* positive errno */
	bool fail_reads;     /* every dump answers -EAGAIN */
};

struct kernel_dummy *dummy_new(void);
/* 0, or the number of the first line that is not understood. */
[[nodiscard]] unsigned dummy_load(struct kernel_dummy *d, const char *text);
/* Interfaces come and go with their routes. */
void dummy_link(
	struct kernel_dummy *d, int ifindex, const char *name, unsigned flags, unsigned mtu);
void dummy_unlink(struct kernel_dummy *d, int ifindex);
void dummy_sysctl(struct kernel_dummy *d, const char *key, int value);
/* The next write but skip, and `times` in all, fail with error. */
void dummy_fail(struct kernel_dummy *d, unsigned skip, unsigned times, int error);
const struct route *dummy_find_route(
	const struct kernel_dummy *d, const struct prefix *dst, uint8_t protocol);
