/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rule: policy routing rules, read only (fib_rules, ip-rule(8)). meshgw adds none: WARP puts its
 * own in front of everything at each reconnect.
 */
#include "lib/err.h"
#include <linux/netlink.h>
#include <net/if.h>
#include <stdint.h>

struct nl_sock;

struct rule {
	uint8_t family;
	uint32_t priority;
	uint32_t table;
	uint32_t fwmark, fwmask;
	bool invert;
	uint8_t action; /* FR_ACT_TO_TBL … */
	char iif[IFNAMSIZ], oif[IFNAMSIZ];
	bool narrow; /* it asks for more: addresses, TOS, users, protocols, ports … */
};

struct rule_set {
	struct rule *list; /* in the kernel's order */
	size_t n;
};

/* 0 or -errno; the set is replaced only on success. */
[[nodiscard]] int rule_dump(
	struct nl_sock *s, uint8_t family, struct rule_set *out, struct err *err);
void rule_set_clear(struct rule_set *set);
/* Reads one RTM_NEWRULE/DELRULE message. 0 or -EBADMSG. */
[[nodiscard]] int rule_read(const struct nlmsghdr *nlh, struct rule *out);
