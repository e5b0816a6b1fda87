/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ct: conntrack entries (nfnetlink_conntrack). Used when source NAT is switched: an entry made
 * before the switch keeps its mapping, and every repeated SYN refreshes it. Only entries that
 * never saw a reply are deleted; deleting the entry of a live flow would break it.
 *
 * Each entry is deleted as soon as it is read, so a reply has well under a millisecond to come
 * in between; the kernel has no "delete if still unreplied" that would close the gap.
 *
 * Asking for entries makes the kernel track nothing: connection tracking is switched on per
 * namespace by rules that need it (nf_ct_netns_get), not by this interface.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <linux/netlink.h>
#include <stddef.h>

struct nl_sock;

struct ct_entry {
	struct addr source;         /* of the original direction */
	uint32_t status;            /* IPS_… */
	const struct nlattr *tuple; /* CTA_TUPLE_ORIG, inside the message that was read */
	const struct nlattr *zone;  /* CTA_ZONE likewise, nullptr = the default zone */
	const struct nlattr *id;    /* CTA_ID, nullptr = not told */
};

/* Reads one IPCTNL_MSG_CT_NEW/DELETE message; *out borrows from it. 0 or -EBADMSG. */
[[nodiscard]] int ct_read(const struct nlmsghdr *nlh, struct ct_entry *out);

/* Deletes UNREPLIED entries whose original source lies in one of the ranges. s is a
 * NETLINK_NETFILTER socket; a second one is opened for the time of the call. Returns how many
 * (≥ 0) or -errno; a kernel without conntrack counts as 0 entries. */
[[nodiscard]] int ct_delete_unreplied(
	struct nl_sock *s, const struct prefix *ranges, size_t n, struct err *err);
