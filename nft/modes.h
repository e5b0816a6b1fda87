/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * modes: what table inet meshgw masquerades, read back. A daemon that starts beside a table of the
 * process before it goes on from there.
 */
#include "lib/err.h"
#include "lib/ip.h"

struct nl_sock;

/* Addresses from first to last, both included. */
struct nft_interval {
	struct addr first, last;
};

struct nft_modes {
	struct nft_interval *networks; /* sorted */
	size_t n_networks, cap_networks;
	struct addr *hosts;
	size_t n_hosts, cap_hosts;
};

/* 1; 0 when there is no such table or it has no source NAT (out is then empty); or -errno. */
[[nodiscard]] int nft_read_modes(struct nl_sock *s, struct nft_modes *out, struct err *err);
void nft_modes_clear(struct nft_modes *m);
