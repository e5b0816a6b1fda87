/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ct: conntrack entries (nfnetlink_conntrack). Used when source NAT is switched: an entry made
 * before the switch keeps its mapping, and every repeated SYN refreshes it. Only entries that
 * never saw a reply are deleted; deleting the entry of a live flow would break it.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <stddef.h>

struct nl_sock;

/* Deletes UNREPLIED entries whose original source lies in one of the ranges. s is a
 * NETLINK_NETFILTER socket. Returns how many (≥ 0) or -errno; a kernel without conntrack counts
 * as 0 entries. */
[[nodiscard]] int ct_delete_unreplied(
	struct nl_sock *s, const struct prefix *ranges, size_t n, struct err *err);
