/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * netconf: forwarding and reverse path filter of each interface (RTM_GETNETCONF), and the
 * net sysctls that change them. Reading by netlink is one dump; writing goes through
 * /proc/sys/net, which CAP_NET_ADMIN in the namespace allows for an unprivileged user.
 */
#include "lib/err.h"
#include <linux/netlink.h>
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

struct nl_sock;

struct netconf {
	uint8_t family;
	int ifindex;    /* NETCONFA_IFINDEX_ALL (-1), _DEFAULT (-2), or an interface */
	int forwarding; /* 0, 1; -1 = not told: an event tells only what changed */
	int rp_filter;  /* IPv4 only; 0 off, 1 strict, 2 loose, -1 not told; the effective value is
			 * the larger of the interface's and "all" */
};

struct netconf_set {
	struct netconf *list;
	size_t n;
};

/* 0 or -errno; the set is replaced only on success. A family that the kernel does not have gives
 * an empty set. */
[[nodiscard]] int netconf_dump(
	struct nl_sock *s, uint8_t family, struct netconf_set *out, struct err *err);
void netconf_set_clear(struct netconf_set *set);
/* Reads one RTM_NEWNETCONF/DELNETCONF message. 0 or -EBADMSG. */
[[nodiscard]] int netconf_read(const struct nlmsghdr *nlh, struct netconf *out);
/* nullptr when there is none. */
const struct netconf *netconf_find(const struct netconf_set *set, uint8_t family, int ifindex);

/* A sysctl below net/, written with slashes: "ipv4/conf/eth0/forwarding" (an interface name may
 * hold dots). */
constexpr size_t SYSCTL_KEY_LEN = 96;
/* 0 and *value, or -ENOENT, -EACCES …; -EINVAL when the file holds no single integer, or the key
 * is too long or steps out of net/. */
[[nodiscard]] int sysctl_get(const char *key, int *value);
[[nodiscard]] int sysctl_set(const char *key, int value);
