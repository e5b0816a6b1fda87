/* SPDX-License-Identifier: Apache-2.0 */
#include "observer.h"
#include "find.h"
#include <err.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* The kernel's largest notification. */
constexpr size_t buffer_size = 32 * 1024;
/* Nothing may be lost while the observer sleeps: a lost repair would look like none. */
constexpr int event_rcvbuf = 8 * 1024 * 1024;

static const int route_groups[] = {
	RTNLGRP_LINK,
	RTNLGRP_IPV4_IFADDR,
	RTNLGRP_IPV6_IFADDR,
	RTNLGRP_IPV4_ROUTE,
	RTNLGRP_IPV6_ROUTE,
	RTNLGRP_IPV4_NETCONF,
	RTNLGRP_IPV6_NETCONF,
};
static const int nft_groups[] = {NFNLGRP_NFTABLES};

uint64_t observer_now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1'000'000'000U + (uint64_t)ts.tv_nsec;
}

static struct mnl_socket *open_socket(int bus, int flags)
{
	struct mnl_socket *s = mnl_socket_open2(bus, SOCK_CLOEXEC | flags);
	if (!s || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0)
		err(1, "netlink socket");
	return s;
}

static struct mnl_socket *open_events(int bus, const int *groups, size_t n)
{
	struct mnl_socket *s = open_socket(bus, SOCK_NONBLOCK);
	if (setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVBUFFORCE, &event_rcvbuf,
		    sizeof(event_rcvbuf)) < 0)
		err(1, "SO_RCVBUFFORCE");
	for (size_t i = 0; i < n; i++) {
		int group = groups[i];
		if (mnl_socket_setsockopt(s, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
			err(1, "netlink group %d", group);
	}
	return s;
}

void observer_open(struct observer *o)
{
	*o = (struct observer){
		.ask = open_socket(NETLINK_ROUTE, 0),
		.nft = open_socket(NETLINK_NETFILTER, 0),
		.events =
			{
				open_events(NETLINK_ROUTE, route_groups,
					sizeof(route_groups) / sizeof(route_groups[0])),
				open_events(NETLINK_NETFILTER, nft_groups,
					sizeof(nft_groups) / sizeof(nft_groups[0])),
			},
	};
}

void observer_close(struct observer *o)
{
	mnl_socket_close(o->ask);
	mnl_socket_close(o->nft);
	for (size_t i = 0; i < 2; i++)
		mnl_socket_close(o->events[i]);
}

/* 1: the callback has seen enough; 0: nothing more is queued; -errno. */
static int deliver(struct mnl_socket *s, observer_cb cb, void *arg)
{
	static alignas(struct nlmsghdr) uint8_t buf[buffer_size];

	for (;;) {
		ssize_t n = mnl_socket_recvfrom(s, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		uint64_t at_ns = observer_now_ns();
		const struct nlmsghdr *nlh = (const void *)buf;
		for (int left = (int)n; left > 0 && mnl_nlmsg_ok(nlh, left);
			nlh = mnl_nlmsg_next(nlh, &left))
			if (cb(nlh, at_ns, arg))
				return 1;
	}
}

static bool ignore(const struct nlmsghdr *, uint64_t, void *)
{
	return false;
}

int observer_drain(struct observer *o)
{
	int r = 0;
	for (size_t i = 0; r >= 0 && i < 2; i++)
		while ((r = deliver(o->events[i], ignore, nullptr)) == -ENOBUFS)
			;
	return r;
}

int observer_wait(struct observer *o, uint64_t deadline_ns, observer_cb cb, void *arg)
{
	for (;;) {
		uint64_t now = observer_now_ns();
		if (now >= deadline_ns)
			return -ETIMEDOUT;
		struct pollfd p[2];
		for (size_t i = 0; i < 2; i++)
			p[i] = (struct pollfd){
				.fd = mnl_socket_get_fd(o->events[i]), .events = POLLIN};
		if (poll(p, 2, (int)((deadline_ns - now) / 1'000'000U) + 1) < 0 && errno != EINTR)
			return -errno;
		for (size_t i = 0; i < 2; i++) {
			int r = p[i].revents ? deliver(o->events[i], cb, arg) : 0;
			if (r)
				return r < 0 ? r : 0;
		}
	}
}

/* Ends by an acknowledgement, an error or the end of a dump. */
static int converse(struct mnl_socket *s, struct nlmsghdr *nlh, mnl_cb_t cb, void *arg)
{
	static alignas(struct nlmsghdr) uint8_t buf[buffer_size];

	if (mnl_socket_sendto(s, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(s, buf, sizeof(buf));
		if (n < 0)
			return -errno;
		int r = mnl_cb_run(buf, (size_t)n, 0, 0, cb, arg);
		if (r < 0)
			return -errno;
		if (r == MNL_CB_STOP)
			return 0;
	}
}

int observer_request(struct mnl_socket *s, struct nlmsghdr *nlh)
{
	nlh->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	return converse(s, nlh, nullptr, nullptr);
}

struct seen_route observer_route(const struct nlmsghdr *nlh)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *dst = find_attr(nlh, sizeof(*rtm), RTA_DST);
	struct seen_route r = {
		.dst = {.addr.family = rtm->rtm_family, .len = rtm->rtm_dst_len},
		.table = find_u32(nlh, sizeof(*rtm), RTA_TABLE, rtm->rtm_table),
		.metric = find_u32(nlh, sizeof(*rtm), RTA_PRIORITY, 0),
		.protocol = rtm->rtm_protocol,
		.oif = (int)find_u32(nlh, sizeof(*rtm), RTA_OIF, 0),
	};
	if (dst)
		memcpy(r.dst.addr.b, mnl_attr_get_payload(dst), addr_bytes(rtm->rtm_family));
	return r;
}

struct dump {
	bool (*cb)(const struct seen_route *r, void *arg);
	void *arg;
	bool stopped;
};

static int dump_message(const struct nlmsghdr *nlh, void *arg)
{
	struct dump *d = arg;
	struct seen_route r = observer_route(nlh);
	if (!d->stopped && r.table == RT_TABLE_MAIN)
		d->stopped = !d->cb(&r, d->arg);
	return MNL_CB_OK;
}

int observer_routes(struct observer *o, uint8_t family,
	bool (*cb)(const struct seen_route *r, void *arg), void *arg)
{
	alignas(struct nlmsghdr) uint8_t buf[128];
	struct dump d = {.cb = cb, .arg = arg};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = family;
	return converse(o->ask, nlh, dump_message, &d);
}
