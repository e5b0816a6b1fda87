/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * coarse: a filter of the packet socket for kernels and users that may load no BPF program: classic
 * BPF (socket(7) SO_ATTACH_FILTER), which nobody needs a privilege for. It lets pass what has the
 * target's or the client's address, and ICMP; whose.c decides, as it does behind trace.bpf.c.
 */
#include "trace/request.h"
#include <linux/filter.h>

constexpr size_t COARSE_MAX = 128;
constexpr size_t COARSE_INTERFACES = 1 + API_TRACE_LANS_MAX;

/* Writes the program; returns its length. Interfaces: 0 = none. */
size_t coarse_build(const struct request *request, const unsigned ifindex[static COARSE_INTERFACES],
	struct sock_filter out[static COARSE_MAX]);
/* 0 or -errno. */
[[nodiscard]] int coarse_attach(
	int fd, const struct request *request, const unsigned ifindex[static COARSE_INTERFACES]);
