/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rtevent: notifications as the kernel sends them, for tests of what they make
 * doubtful. Each fills *m and returns its header.
 */
#include "net/link.h"
#include "net/nl.h"
#include "net/route.h"

const struct nlmsghdr *rtevent_link(
	struct nl_message *m, uint16_t type, int ifindex, const char *name, unsigned flags);
const struct nlmsghdr *rtevent_address(
	struct nl_message *m, uint16_t type, int ifindex, const char *prefix);
/* flags: NLM_F_REPLACE as after `ip route replace`. */
const struct nlmsghdr *rtevent_route(
	struct nl_message *m, uint16_t type, uint16_t flags, const struct route *r);
const struct nlmsghdr *rtevent_rule(struct nl_message *m, uint16_t type);
/* nftables: a rule of this family (NFPROTO_x) and chain. */
const struct nlmsghdr *rtevent_nft_rule(
	struct nl_message *m, uint8_t family, const char *table, const char *chain);
/* A change of forwarding. */
const struct nlmsghdr *rtevent_netconf(struct nl_message *m, uint8_t family, int ifindex);
