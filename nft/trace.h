/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * trace: hears what the rules of everybody say to packets that carry the trace bit (`nft monitor
 * trace`). The table of a diagnosis (diag.h) sets that bit.
 *
 * A step is one rule that a packet met with a verdict, or the end of a base chain. It names table,
 * chain and the rule's handle; what the rule says is told by rule.h. The kernel shows the packet's
 * headers once for each base chain that the packet enters, and tells nothing about chains in which
 * no rule matched but the policy. way.h puts steps of one packet together.
 *
 * Of a packet only addresses, ports, TCP flags and the ICMP type are read, at fixed offsets.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

constexpr size_t NFT_STEP_NAME_LEN = 128; /* longer names of tables and chains are cut */

enum nft_step_type { NFT_STEP_RULE, NFT_STEP_RETURN, NFT_STEP_POLICY, NFT_STEP_TYPES };

struct nft_step_packet {
	struct addr from, to; /* family AF_UNSPEC: no IP packet, or its headers were not shown */
	uint8_t proto;
	uint16_t sport, dport; /* of ICMP echos both are the identifier */
	uint8_t tcp_flags;
	uint8_t icmp_type, icmp_code;
};

struct nft_step {
	uint32_t id;    /* the packet's, as long as it is in this host; may come again later */
	uint8_t family; /* of the table, NFPROTO_x */
	char table[NFT_STEP_NAME_LEN], chain[NFT_STEP_NAME_LEN];
	uint64_t handle; /* of the rule; 0 = none */
	enum nft_step_type type;
	int verdict;  /* NF_ACCEPT, NF_DROP, NFT_JUMP …; of a policy, the policy */
	bool enters;  /* the packet enters a base chain; only then the rest is told */
	int iif, oif; /* ifindex, 0 = none */
	struct nft_step_packet packet;
};

/* One NFT_MSG_TRACE message. 0 or -EBADMSG. */
[[nodiscard]] int nft_step_read(const struct nlmsghdr *nlh, struct nft_step *out);

struct nft_trace;

/* -errno; -EPERM without CAP_NET_ADMIN. */
[[nodiscard]] int nft_trace_open(struct nft_trace **out, struct err *err);
void nft_trace_close(struct nft_trace *t); /* nullptr is allowed */
int nft_trace_fd(const struct nft_trace *t);

/* Reads what is there, at most `budget` datagrams, without blocking. The callback gets nullptr when
 * some were lost. Returns the number read (budget = there may be more), or -errno when the socket
 * is unusable. */
typedef void (*nft_trace_cb)(const struct nft_step *step, void *arg);
[[nodiscard]] int nft_trace_read(struct nft_trace *t, unsigned budget, nft_trace_cb cb, void *arg);
