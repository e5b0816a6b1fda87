/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * nflog: hears of the ends of BGP sessions. Table inet meshgw sends the FIN and RST segments of
 * TCP port 179 from and to our neighbours to an nfnetlink_log group (nft_model.neighbors), and
 * this reads them. They are hints: anybody can forge one, and the kernel may drop some.
 *
 * The owner polls nflog_fd() and calls nflog_read(). Needs CAP_NET_ADMIN in the namespace.
 */
#include "lib/err.h"
#include "lib/ip.h"
#include <linux/netlink.h>

struct nflog;

typedef void (*nflog_cb)(const struct addr *neighbor, void *arg);

/* -EOPNOTSUPP: the kernel has no nfnetlink_log; -EPERM: CAP_NET_ADMIN is missing, or another
 * process reads this group. */
[[nodiscard]] int nflog_open(uint16_t group, struct nflog **out, struct err *err);
void nflog_close(struct nflog *n); /* nullptr is allowed */
int nflog_fd(const struct nflog *n);

/* Reads what is there, at most `budget` datagrams, without blocking. The callback gets AF_UNSPEC
 * when some were lost: any neighbour's session may have ended; and once more when all is read that
 * was there, if that takes another call, for what happened in between is lost as well. Returns the
 * number read (budget = there may be more), or -errno when the socket is unusable. */
[[nodiscard]] int nflog_read(struct nflog *n, unsigned budget, nflog_cb cb, void *arg);

/* The neighbour that one NFULNL_MSG_PACKET is about: whom the packet came from (hook input) or goes
 * to (output). 0 or -EBADMSG. */
[[nodiscard]] int nflog_parse(const struct nlmsghdr *nlh, struct addr *neighbor);
