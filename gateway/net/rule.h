/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rule: policy routing rules (fib_rules, ip-rule(8)). The daemon adds none by itself: WARP puts its
 * own in front of everything at each reconnect. `meshgw fix` writes one where its operator says so.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <linux/netlink.h>
#include <net/if.h>
#include <stdint.h>

struct nl_sock;

/* Numbers from first to last; 0..0 asks for nothing. */
struct rule_ports {
	uint16_t first, last;
};

struct rule {
	uint8_t family;
	uint32_t priority;
	uint32_t table;
	uint32_t fwmark, fwmask;
	bool invert;
	uint8_t action; /* FR_ACT_TO_TBL … */
	char iif[IFNAMSIZ], oif[IFNAMSIZ];
	struct prefix from, to; /* length 0 = all */
	uint8_t proto;          /* IPPROTO_x, 0 = any */
	struct rule_ports sport, dport;
	bool users; /* only packets of uid_first..uid_last */
	uint32_t uid_first, uid_last;
	bool l3mdev;     /* the table is that of the packet's VRF */
	uint32_t target; /* of FR_ACT_GOTO, a priority */
	int suppress;    /* routes of at most this prefix length do not count, -1 = none */
	bool narrow;     /* it asks for more than marks and interfaces */
	bool unmodelled; /* … even for something that is not told here: TOS, groups … */
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

/* Adds a rule, or deletes one that a dump has shown, to the last of its selectors. Of the action
 * FR_ACT_TO_TBL, or one that refuses. 0; -EEXIST, -ENOENT; -EOPNOTSUPP when the rule asks for more
 * than struct rule can say. */
[[nodiscard]] int rule_add(struct nl_sock *s, const struct rule *r, struct err *err);
[[nodiscard]] int rule_del(struct nl_sock *s, const struct rule *r, struct err *err);

/* As `ip rule` prints it, tables by number but for local, main and default:
 * "5209: not from all fwmark 0x100cf lookup 65743". Returns buf. */
constexpr size_t RULE_STRLEN = 256;
const char *rule_str(const struct rule *r, char *buf, size_t size);
