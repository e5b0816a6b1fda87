/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * watch: the kernel's notifications. One rtnetlink and one nfnetlink socket, each joined to the
 * groups we care about; the owner polls the descriptors and calls watch_read().
 *
 * Events are hints. When the kernel drops some (ENOBUFS), the callback gets WATCH_LOST and the
 * owner must read everything again. It comes once more when all is read that was there, if that
 * takes another call: what happened in between is lost as well.
 */
#include "lib/err.h"
#include <linux/netlink.h>

struct watch;

enum watch_kind {
	WATCH_LOST,    /* nlh is nullptr: notifications were lost */
	WATCH_ROUTE,   /* rtnetlink message: RTM_NEWLINK, RTM_DELROUTE, RTM_NEWNETCONF … */
	WATCH_NFT_GEN, /* a ruleset transaction was committed (NFT_MSG_NEWGEN), nlh is it */
	WATCH_NFT,     /* any other nftables notification */
};

typedef void (*watch_cb)(enum watch_kind kind, const struct nlmsghdr *nlh, void *arg);

/* bus NETLINK_ROUTE joins link, address, route, rule and netconf groups of both families;
 * NETLINK_NETFILTER joins NFNLGRP_NFTABLES. rcvbuf: bytes, 0 = default (tests make it tiny). */
[[nodiscard]] int watch_open(int bus, int rcvbuf, struct watch **out, struct err *err);
void watch_close(struct watch *w); /* nullptr is allowed */
int watch_fd(const struct watch *w);

/* Reads what is there, at most `budget` datagrams, without blocking. Returns the number read
 * (budget = there may be more), or -errno when the socket is unusable. */
[[nodiscard]] int watch_read(struct watch *w, unsigned budget, watch_cb cb, void *arg);
