/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ct: conntrack entries (nfnetlink_conntrack). A flow's source NAT lives in its entry: what was
 * decided for its first packet stays, and every packet refreshes it. So when source NAT is
 * switched, entries are deleted whose flows can only win by that; never those of a live TCP
 * connection, which would end with it.
 *
 * Each entry is deleted as soon as it is read, so a reply has well under a millisecond to come
 * in between; the kernel has no "delete if still unreplied" that would close the gap.
 *
 * Flows of probes (MARK_PROBE in the conntrack mark) are no flows of the mesh: they are neither
 * deleted nor listed, and only ct_lookup() finds them.
 *
 * Asking for entries makes the kernel track nothing: connection tracking is switched on per
 * namespace by rules that need it (nf_ct_netns_get), not by this interface.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <linux/netlink.h>
#include <stddef.h>

struct nl_sock;

/* A flow as its first packet was, before any translation. */
struct ct_flow {
	uint8_t proto; /* IPPROTO_x */
	struct addr from, to;
	uint16_t from_port, to_port; /* 0 when the protocol has none */
};

struct ct_state {
	uint32_t status; /* IPS_SEEN_REPLY, IPS_SRC_NAT … */
	uint32_t mark;
};

struct ct_entry {
	struct ct_flow flow;
	struct ct_flow reply; /* what answers look like: the flow's ends translated, if they are;
				 family AF_UNSPEC = not told */
	struct ct_state state;
	uint8_t tcp_state;          /* TCP_CONNTRACK_SYN_SENT …, 0 = not TCP */
	uint16_t icmp_id;           /* of an echo */
	uint32_t timeout_s;         /* left until it is forgotten */
	const struct nlattr *tuple; /* CTA_TUPLE_ORIG, inside the message that was read */
	const struct nlattr *zone;  /* CTA_ZONE likewise, nullptr = the default zone */
	const struct nlattr *id;    /* CTA_ID, nullptr = not told */
};

/* Reads one IPCTNL_MSG_CT_NEW/DELETE message; *out borrows from it. 0 or -EBADMSG. */
[[nodiscard]] int ct_read(const struct nlmsghdr *nlh, struct ct_entry *out);

/* Which entries: bits. */
enum ct_kind {
	/* begun by the mesh, never answered; a repeated SYN then begins anew */
	CT_UNREPLIED = 1 << 0,
	/* UDP and ICMP begun by the mesh: the next packet gets a mapping that fits the mode */
	CT_DATAGRAMS = 1 << 1,
	/* UDP and ICMP begun towards the mesh: what the mesh sends next begins a flow of its own,
	 * which an allow list judges */
	CT_DATAGRAMS_TO_MESH = 1 << 2,
};

/* Between whom. */
struct ct_scope {
	const struct prefix *ranges; /* of the mesh */
	size_t n_ranges;
	const struct prefix *networks; /* the other end; none = anywhere */
	size_t n_networks;
	const struct prefix *except; /* but not these */
	size_t n_except;
};

/* Is an entry of one of these kinds, and in scope? */
bool ct_concerns(const struct ct_scope *scope, unsigned kinds, const struct ct_flow *flow,
	const struct ct_state *state);

/* Deletes entries of these kinds. s is a NETLINK_NETFILTER socket; a second one is opened for the
 * time of the call. Returns how many (>= 0) or -errno; a kernel without conntrack counts as 0
 * entries. */
[[nodiscard]] int ct_delete(
	struct nl_sock *s, const struct ct_scope *scope, unsigned kinds, struct err *err);

/* Lists entries of these kinds into out[0..max), in no order. Returns how many there are, which may
 * be more than max, or -errno. */
[[nodiscard]] int ct_list(struct nl_sock *s, const struct ct_scope *scope, unsigned kinds,
	struct ct_flow *out, size_t max, struct err *err);

/* The entry of one flow, in the default zone. -ENOENT when there is none. */
[[nodiscard]] int ct_lookup(
	struct nl_sock *s, const struct ct_flow *flow, struct ct_state *out, struct err *err);

/* Shows every entry of a flow that began towards this target, whoever began it, probes as well;
 * port 0 = any. An entry may be shown twice. 0 or -errno; a kernel without conntrack has none. */
[[nodiscard]] int ct_visit_to(struct nl_sock *s, uint8_t proto, const struct addr *to,
	uint16_t port, void (*visit)(const struct ct_entry *e, void *arg), void *arg,
	struct err *err);

/* "SYN_SENT" …, "" for none. */
const char *ct_tcp_state_str(uint8_t tcp_state);
