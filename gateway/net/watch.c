/* SPDX-License-Identifier: Apache-2.0 */
#include "net/watch.h"
#include "lib/xmalloc.h"
#include "net/nl.h"
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* One notification; the kernel sends each in a buffer of about a page, a link with many virtual
 * functions in a larger one. */
constexpr size_t WATCH_BUFFER = 32 * 1024;

/* About a thousand notifications. What is beyond is lost, noticed, and read again. */
constexpr int WATCH_RCVBUF = 1024 * 1024;

struct watch {
	struct mnl_socket *mnl;
	int bus;
	bool behind; /* since a loss not all has been read that was there */
	alignas(struct nlmsghdr) uint8_t buf[WATCH_BUFFER];
};

static const int route_groups[] = {
	RTNLGRP_LINK,
	RTNLGRP_IPV4_IFADDR,
	RTNLGRP_IPV6_IFADDR,
	RTNLGRP_IPV4_ROUTE,
	RTNLGRP_IPV6_ROUTE,
	RTNLGRP_IPV4_RULE,
	RTNLGRP_IPV6_RULE,
	RTNLGRP_IPV4_NETCONF,
	RTNLGRP_IPV6_NETCONF,
};
static const int netfilter_groups[] = {NFNLGRP_NFTABLES};

static int watch_join(struct mnl_socket *mnl, int bus)
{
	const int *groups = route_groups;
	size_t n = sizeof(route_groups) / sizeof(route_groups[0]);

	if (bus == NETLINK_NETFILTER) {
		groups = netfilter_groups;
		n = sizeof(netfilter_groups) / sizeof(netfilter_groups[0]);
	}
	for (size_t i = 0; i < n; i++) {
		int group = groups[i];
		if (mnl_socket_setsockopt(mnl, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
			return -errno;
	}
	return 0;
}

/* Beyond net.core.rmem_max only with CAP_NET_ADMIN (socket(7)); less is no error. */
static void watch_set_rcvbuf(struct mnl_socket *mnl, int bytes)
{
	int fd = mnl_socket_get_fd(mnl);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

int watch_open(int bus, int rcvbuf, struct watch **out, struct err *err)
{
	struct mnl_socket *mnl = mnl_socket_open2(bus, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!mnl)
		return err_set(err, errno, "netlink socket: %s", strerror(errno));
	watch_set_rcvbuf(mnl, rcvbuf ? rcvbuf : WATCH_RCVBUF);
	int r = mnl_socket_bind(mnl, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : watch_join(mnl, bus);
	if (r < 0) {
		mnl_socket_close(mnl);
		return err_set(err, -r, "netlink notifications: %s", strerror(-r));
	}
	struct watch *w = xcalloc(1, sizeof(*w));
	w->mnl = mnl;
	w->bus = bus;
	*out = w;
	return 0;
}

void watch_close(struct watch *w)
{
	if (!w)
		return;
	mnl_socket_close(w->mnl);
	free(w);
}

int watch_fd(const struct watch *w)
{
	return mnl_socket_get_fd(w->mnl);
}

static enum watch_kind watch_kind_of(int bus, const struct nlmsghdr *nlh)
{
	if (bus == NETLINK_ROUTE)
		return WATCH_ROUTE;
	uint16_t newgen = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN;
	return nlh->nlmsg_type == newgen ? WATCH_NFT_GEN : WATCH_NFT;
}

static void watch_deliver(struct watch *w, size_t len, watch_cb cb, void *arg)
{
	struct nl_datagram d = {.at = w->buf, .left = len};
	const struct nlmsghdr *nlh;

	while ((nlh = nl_next(&d))) {
		if (nlh->nlmsg_type >= NLMSG_MIN_TYPE)
			cb(watch_kind_of(w->bus, nlh), nlh, arg);
	}
}

int watch_read(struct watch *w, unsigned budget, watch_cb cb, void *arg)
{
	bool was_behind = w->behind;
	unsigned n = 0;

	for (; n < budget; n++) {
		ssize_t len = mnl_socket_recvfrom(w->mnl, w->buf, sizeof(w->buf));
		if (len >= 0) {
			watch_deliver(w, (size_t)len, cb, arg);
		} else if (errno == EAGAIN) {
			break;
		} else if (errno == ENOBUFS || errno == ENOSPC) { /* dropped; cut off (libmnl) */
			w->behind = true;
			cb(WATCH_LOST, nullptr, arg);
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	if (w->behind && nl_is_empty(w->mnl)) {
		w->behind = false;
		if (was_behind)
			cb(WATCH_LOST, nullptr, arg);
	}
	return (int)n;
}
