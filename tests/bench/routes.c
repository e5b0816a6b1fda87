/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routes: a routing table full of somebody else's routes, and its daily changes.
 *
 *   routes add COUNT --dev IF --via ADDR       COUNT routes, as a routing daemon would write them
 *   routes churn COUNT --dev IF --via ADDR --rate N --seconds S
 *                                              one of them deleted or put back, N times a second
 *
 * The family is that of --via. The prefixes (from 20.0.0.0/24 on, from 2a00::/48 on) lie outside
 * every range and network that the benches configure.
 */
#include "lib/ip.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

constexpr size_t batch = 128;
constexpr size_t message_max = 128;
/* A step that visits every route of the table before it comes back to one. */
constexpr uint32_t stride = 7919;

struct table {
	struct mnl_socket *nl;
	struct addr via;
	uint32_t ifindex, count;
	double rate, seconds;
};

static struct prefix route_prefix(uint8_t family, uint32_t i)
{
	struct prefix p = {.addr.family = family, .len = family == AF_INET ? 24 : 48};
	if (family == AF_INET) {
		uint32_t net = (20U << 16) + i;
		p.addr.b[0] = (uint8_t)(net >> 16);
		p.addr.b[1] = (uint8_t)(net >> 8);
		p.addr.b[2] = (uint8_t)net;
	} else {
		p.addr.b[0] = 0x2a;
		p.addr.b[3] = (uint8_t)(i >> 16);
		p.addr.b[4] = (uint8_t)(i >> 8);
		p.addr.b[5] = (uint8_t)i;
	}
	return p;
}

static struct nlmsghdr *route_message(
	const struct table *t, void *buf, uint16_t type, uint16_t flags, uint32_t i)
{
	struct prefix p = route_prefix(t->via.family, i);
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	*rtm = (struct rtmsg){
		.rtm_family = p.addr.family,
		.rtm_dst_len = p.len,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BIRD,
		.rtm_scope = type == RTM_NEWROUTE ? RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE,
		.rtm_type = type == RTM_NEWROUTE ? RTN_UNICAST : RTN_UNSPEC,
	};
	mnl_attr_put(nlh, RTA_DST, addr_bytes(p.addr.family), p.addr.b);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, 32);
	if (type == RTM_NEWROUTE) {
		mnl_attr_put(nlh, RTA_GATEWAY, addr_bytes(t->via.family), t->via.b);
		mnl_attr_put_u32(nlh, RTA_OIF, t->ifindex);
	}
	return nlh;
}

/* The last message of a batch asks for an acknowledgement; refusals come before it. */
static void batch_send(const struct table *t, const void *buf, size_t len)
{
	alignas(struct nlmsghdr) uint8_t answer[4096];
	if (mnl_socket_sendto(t->nl, buf, len) < 0)
		err(1, "send");
	ssize_t n = mnl_socket_recvfrom(t->nl, answer, sizeof(answer));
	if (n < 0 || mnl_cb_run(answer, (size_t)n, 0, 0, nullptr, nullptr) < 0)
		err(1, "route");
}

static void add_all(const struct table *t)
{
	alignas(struct nlmsghdr) static uint8_t buf[batch * message_max];
	for (uint32_t i = 0; i < t->count;) {
		size_t len = 0;
		for (size_t n = 0; n < batch && i < t->count; n++, i++) {
			bool last = n + 1 == batch || i + 1 == t->count;
			len += route_message(t, buf + len, RTM_NEWROUTE,
				NLM_F_CREATE | (last ? NLM_F_ACK : 0), i)
				       ->nlmsg_len;
		}
		batch_send(t, buf, len);
	}
}

static struct timespec later(struct timespec at, double seconds)
{
	uint64_t ns = (uint64_t)at.tv_nsec + (uint64_t)(seconds * 1e9);
	at.tv_sec += (time_t)(ns / 1'000'000'000U);
	at.tv_nsec = (long)(ns % 1'000'000'000U);
	return at;
}

static void churn(const struct table *t)
{
	alignas(struct nlmsghdr) uint8_t buf[message_max];
	uint32_t changes = (uint32_t)(t->rate * t->seconds), at = 0;
	struct timespec next;
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (uint32_t i = 0; i < changes; i++) {
		bool put_back = i % 2;
		struct nlmsghdr *nlh = route_message(t, buf, put_back ? RTM_NEWROUTE : RTM_DELROUTE,
			NLM_F_ACK | (put_back ? NLM_F_CREATE : 0), at);
		batch_send(t, nlh, nlh->nlmsg_len);
		at = put_back ? (at + stride) % t->count : at;
		next = later(next, 1 / t->rate);
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, nullptr) == EINTR)
			;
	}
}

static double number(const char *text, double max)
{
	char *end;
	double n = strtod(text, &end);
	if (end == text || *end || !(n > 0 && n <= max))
		errx(2, "%s: not a number up to %g", text, max);
	return n;
}

static const struct option long_options[] = {
	{"dev", required_argument, nullptr, 'd'},
	{"via", required_argument, nullptr, 'v'},
	{"rate", required_argument, nullptr, 'r'},
	{"seconds", required_argument, nullptr, 's'},
	{},
};

[[noreturn]] static void usage(void)
{
	errx(2, "usage: routes add COUNT --dev IF --via ADDR\n"
		"       routes churn COUNT --dev IF --via ADDR --rate N --seconds S");
}

static struct table table_parse(int argc, char **argv)
{
	struct table t = {};
	for (int c; (c = getopt_long(argc, argv, "", long_options, nullptr)) != -1;) {
		if (c == 'd')
			t.ifindex = if_nametoindex(optarg);
		else if (c == 'v' && addr_parse(optarg, &t.via) < 0)
			errx(2, "%s: not an address", optarg);
		else if (c == 'r')
			t.rate = number(optarg, 1e6);
		else if (c == 's')
			t.seconds = number(optarg, 1e5);
		else if (c == '?')
			usage();
	}
	if (optind + 2 != argc || t.ifindex == 0 || t.via.family == AF_UNSPEC)
		usage();
	t.count = (uint32_t)number(argv[optind + 1], 1 << 23);
	return t;
}

int main(int argc, char **argv)
{
	struct table t = table_parse(argc, argv);
	const char *what = argv[optind];

	t.nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!t.nl || mnl_socket_bind(t.nl, 0, MNL_SOCKET_AUTOPID) < 0)
		err(1, "netlink socket");
	if (strcmp(what, "add") == 0)
		add_all(&t);
	else if (strcmp(what, "churn") == 0 && t.rate > 0 && t.seconds > 0)
		churn(&t);
	else
		usage();
	mnl_socket_close(t.nl);
	return 0;
}
