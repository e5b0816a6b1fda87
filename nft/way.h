/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * way: the steps of traced packets (trace.h), packet by packet: who it was, and which rule or
 * policy had the last word about it. Pure, and of bounded size whatever comes.
 *
 * A packet that was ended by the table of a diagnosis (diag.h) had passed everybody else. One that
 * was accepted by the last chain that spoke about it may still have been lost behind that: in
 * routing, in a hook that is none of nftables', on the wire.
 */
#include "nft/trace.h"

enum nft_fate {
	NFT_FATE_ACCEPTED, /* by the last chain heard of */
	NFT_FATE_DROPPED,
	NFT_FATE_QUEUED,  /* to a program (NFQUEUE), or taken by the kernel: nothing is known */
	NFT_FATE_ARRIVED, /* dropped by a diagnosis, behind everybody */
};

struct nft_way {
	uint32_t id;
	struct nft_step_packet packet; /* as it was when it was first seen, before translation */
	struct nft_step base;          /* where it entered the base chain that spoke last */
	struct nft_step last;          /* the last word of somebody else's table */
	enum nft_fate fate;
	bool local;   /* sent by this host */
	bool arrived; /* seen at the ingress of an interface, and not behind it yet */
};

constexpr size_t NFT_WAYS = 256;

struct nft_ways {
	struct nft_way *list;
	size_t n, cap;
	bool lost; /* there was more than is told here */
};

/* nullptr = some were lost; so this is a nft_trace_cb with the nft_ways as argument. */
void nft_ways_add(const struct nft_step *step, void *ways);
void nft_ways_clear(struct nft_ways *w);
