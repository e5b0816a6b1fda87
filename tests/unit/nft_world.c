/* SPDX-License-Identifier: Apache-2.0 */
#include "nft_world.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "lib/xmalloc.h"
#include "net/netconf.h"
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const mesh_addresses[] = {"100.96.0.18/32", "2606:4700:cf1:1000::18/128"};
static const char *const lan_addresses[] = {"10.0.1.11/24", "2001:db8:1::11/64"};

/* A packet waits in the queue of the CPU that its writer ran on; on one CPU they keep their
 * order. */
static void stay_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)sched_getcpu(), &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
}

/* The kernel makes an IPv6 address its own a little later (net/ipv6/addrconf.c, addrconf_dad_work).
 */
static void await_local(struct netns *n, const char *address)
{
	struct route_question q = {.dst = netns_addr(address)};
	struct route_answer a = {};

	for (int i = 0; i < 2000 && a.route.type != RTN_LOCAL; i++) {
		if (i > 0)
			usleep(1000);
		assert_int_equal(route_ask(n->nl, &q, &a, nullptr), 0);
	}
	assert_int_equal(a.route.type, RTN_LOCAL);
}

static void configure(struct netns *n)
{
	static const char *const on[] = {"ipv4/ip_forward", "ipv6/conf/all/forwarding"};
	static const char *const off[] = {
		"ipv4/conf/all/rp_filter",
		"ipv4/conf/mesh0/rp_filter",
		"ipv4/conf/lan0/rp_filter",
	};

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(sysctl_set(on[i], 1), 0);
		netns_address(n, RTM_NEWADDR, n->mesh, mesh_addresses[i]);
		netns_address(n, RTM_NEWADDR, n->lan, lan_addresses[i]);
	}
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(sysctl_set(off[i], 0), 0);
	for (size_t i = 0; i < nft_model("route")->n_ranges; i++) {
		struct route r = {.dst = nft_model("route")->ranges[i], .oif = n->mesh};
		assert_int_equal(netns_route(n, RTM_NEWROUTE, NLM_F_CREATE, &r), 0);
	}
	nft_world_mtu("mesh0", 1280);
	await_local(n, "2606:4700:cf1:1000::18");
	await_local(n, "2001:db8:1::11");
}

int nft_world_setup(void **state)
{
	struct nft_world *w = xcalloc(1, sizeof(*w));
	void *net = nullptr;
	struct err err = {};

	stay_on_one_cpu();
	assert_int_equal(netns_setup(&net), 0);
	w->net = net;
	configure(w->net);
	assert_int_equal(nl_open(NETLINK_NETFILTER, &w->nl, &err), 0);
	assert_int_equal(nft_conn_new(w->nl, &w->conn, &err), 0);
	*state = w;
	return 0;
}

int nft_world_teardown(void **state)
{
	struct nft_world *w = *state;
	void *net = w->net;

	nft_conn_free(w->conn);
	nl_close(w->nl);
	netns_teardown(&net);
	free(w);
	return 0;
}

void nft_world_replace(struct nft_world *w, const struct nft_model *model)
{
	struct err err = {};

	if (nft_replace(w->conn, model, nullptr, &err) < 0)
		fail_msg("%s", err.msg);
}

struct nft_state nft_world_read(struct nft_world *w)
{
	struct nft_state st = {};
	struct err err = {};

	if (nft_read(w->nl, &st, &err) < 0)
		fail_msg("%s", err.msg);
	return st;
}

uint64_t nft_world_packets(struct nft_world *w, enum nft_counter c)
{
	struct nft_counters counters = {};
	struct err err = {};

	if (nft_read_counters(w->nl, &counters, &err) < 0)
		fail_msg("%s", err.msg);
	return counters.of[c].packets;
}

void nft_world_mtu(const char *interface, int mtu)
{
	struct ifreq ifr = {.ifr_mtu = mtu};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", interface);
	assert_int_equal(ioctl(fd, SIOCSIFMTU, &ifr), 0);
	close(fd);
}

bool nft_world_tool(const char *command)
{
	char line[512];

	snprintf(line, sizeof(line), "nft '%s' >/dev/null 2>&1", command);
	return system(line) == 0;
}
