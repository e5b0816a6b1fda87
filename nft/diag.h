/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * diag: the table of one diagnosis, inet meshgw_diag_N.
 *
 * It does two things. Packets of the flow are made to leave a trace (trace.h), in both directions:
 * those that the diagnosis injects and a few of the real ones. And what answers an injected packet
 * is counted when it is about to leave this host, behind everybody's filters, and goes no further:
 * nothing of it enters the tunnel, and a service that answered a SYN is told to forget it. An
 * answer that routing leads elsewhere than into the tunnel is counted with the interface and ends
 * here as well, or it would go in circles.
 *
 * The table belongs to a netlink socket of its own, without NFT_TABLE_F_PERSIST: it goes when the
 * socket is closed, also if the process is killed. Injected packets are known by their client and a
 * block of source ports (the identifier, of an echo), which nobody else may use meanwhile.
 *
 *   arrive_N   ingress of an interface,      traces the flow already where it comes in, if the
 *              first                        kernel can and the interfaces are there
 *   enter      prerouting, first             traces the flow
 *   enter_ct   prerouting, after conntrack   answers that source NAT renamed (with_ct)
 *   leave      output, first                 traces this host's own packets of the flow
 *   port       output, raw                   gives a socket that imitates the client (its port with
 *                                            MARK_PROBE_PORT_BIT the other way round) one of ours
 *   answers    forward, last                 counts and ends answers to injected packets
 *   said       output, last                  the same for what this host says itself, as a
 *                                            service or about the packets
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <net/if.h>

#define NFT_DIAG_TABLE "meshgw_diag_"

struct nft_diag;

struct nft_diag_ask {
	struct addr client, target; /* of one family */
	uint8_t proto;              /* of the flow: IPPROTO_TCP, _UDP, _ICMP, _ICMPV6 */
	uint16_t port;              /* of the flow; 0 for ICMP */
	bool unused; /* nobody has the client's address: all answers to it are ours */
	uint16_t mine_first, mine_last; /* block of source ports; 0, 0 = nothing is injected */
	const struct prefix *ranges;    /* whose flows to the target are traced; of any family */
	size_t n_ranges;
	char mesh_interface[IFNAMSIZ];
	char lan_interface[IFNAMSIZ]; /* by which answers come; "" = not known */
	bool with_ct;                 /* may ask conntrack, which that switches on: only where
				       * somebody translates */
};

/* 0; -EPERM without CAP_NET_ADMIN; -errno. */
[[nodiscard]] int nft_diag_open(
	const struct nft_diag_ask *ask, struct nft_diag **out, struct err *err);
void nft_diag_close(struct nft_diag *d); /* nullptr is allowed; the table is gone then */
const char *nft_diag_table(const struct nft_diag *d);

enum nft_answer_kind {
	NFT_ANSWER_TCP,
	NFT_ANSWER_UDP,
	NFT_ANSWER_ECHO,
	NFT_ANSWER_TCP_ERROR, /* ICMP errors that quote an injected packet */
	NFT_ANSWER_UDP_ERROR,
	NFT_ANSWER_ECHO_ERROR,
	NFT_ANSWER_KINDS,
};

/* Packets that answered injected ones, alike in all of this. */
struct nft_answer {
	enum nft_answer_kind kind;
	bool own;         /* this host said it; else it was forwarded */
	struct addr from; /* of an error, who sent it */
	uint16_t mine;    /* source port or identifier of the injected packet */
	uint16_t port; /* the port that answered, or that the quoted packet was for; 0 of echos */
	uint8_t flags; /* of TCP */
	uint8_t type, code; /* of ICMP */
	char oif[IFNAMSIZ]; /* where it was about to leave */
	uint64_t packets;
};

/* What has come so far. Fills out[0..max) in no order; returns how many there are (also when more
 * than max), or -errno. */
[[nodiscard]] int nft_diag_read(
	struct nft_diag *d, struct nft_answer *out, size_t max, struct err *err);
