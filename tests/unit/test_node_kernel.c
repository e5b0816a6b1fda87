/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a real kernel tells of neighbours, counters, sockets and kinds of links; and the platform,
 * from folders that look like the firmware's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/counter.h"
#include "net/link.h"
#include "net/neigh.h"
#include "net/platform.h"
#include "net/sockdiag.h"
#include "netns.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void send_to(const char *address)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(3000)};
	inet_pton(AF_INET, address, &to.sin_addr);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	close(fd);
}

/* ---- neighbours ---- */

/* A device with link addresses. */
static int tap_new(const char *name, int *ifindex)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
	netns_link_up(name, true);
	*ifindex = (int)if_nametoindex(name);
	return fd;
}

static void neigh_set(struct netns *n, int ifindex, const char *address, uint8_t last)
{
	const uint8_t lladdr[] = {2, 0, 0, 0, 1, last};
	struct addr a = netns_addr(address);
	struct nl_message m;
	struct ndmsg ndm = {
		.ndm_family = a.family, .ndm_ifindex = ifindex, .ndm_state = NUD_REACHABLE};
	struct nlmsghdr *nlh = nl_begin(
		&m, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &ndm, sizeof(ndm));
	mnl_attr_put(nlh, NDA_DST, addr_bytes(a.family), a.b);
	mnl_attr_put(nlh, NDA_LLADDR, sizeof(lladdr), lladdr);
	assert_int_equal(nl_request(n->other, nlh, nullptr), 0);
}

static void test_neighbours(void **state)
{
	struct netns *n = *state;
	int tap, fd = tap_new("tap0", &tap);
	static const char *const addresses[] = {"10.0.1.50", "2001:db8:1::50"};
	netns_address(n, RTM_NEWADDR, tap, "10.0.1.11/24");
	netns_address(n, RTM_NEWADDR, tap, "2001:db8:1::11/64");

	for (size_t i = 0; i < COUNT(addresses); i++) {
		struct addr a = netns_addr(addresses[i]);
		struct neigh neigh;
		assert_int_equal(neigh_get(n->nl, tap, &a, &neigh, nullptr), -ENOENT);
		neigh_set(n, tap, addresses[i], 0x32);
		assert_int_equal(neigh_get(n->nl, tap, &a, &neigh, nullptr), 0);
		assert_int_equal(neigh.ifindex, tap);
		assert_int_equal(addr_cmp(&neigh.address, &a), 0);
		assert_string_equal(neigh.lladdr, "02:00:00:00:01:32");
		assert_string_equal(neigh_state_str(neigh.state), "reachable");
		assert_int_equal(neigh_verify(n->nl, tap, &a, nullptr), 0);
		assert_int_equal(neigh_get(n->nl, tap, &a, &neigh, nullptr), 0);
		assert_string_equal(neigh_state_str(neigh.state), "probe");
		assert_string_equal(neigh.lladdr, "02:00:00:00:01:32");
	}
	/* Nobody answers. */
	struct addr silent = netns_addr("10.0.1.51");
	struct neigh neigh;
	send_to("10.0.1.51");
	assert_int_equal(neigh_get(n->nl, tap, &silent, &neigh, nullptr), 0);
	assert_string_equal(neigh_state_str(neigh.state), "incomplete");
	assert_int_equal(neigh_verify(n->nl, tap, &silent, nullptr), -ENOENT);
	assert_string_equal(neigh.lladdr, "");
	struct err err = {};
	assert_int_equal(neigh_get(n->nl, 4711, &silent, &neigh, &err), -ENODEV);
	assert_non_null(strstr(err.msg, "neighbour: "));
	close(fd);
}

static void test_neighbour_watch(void **state)
{
	struct netns *n = *state;
	int tap, fd = tap_new("tap0", &tap);
	struct addr a = netns_addr("10.0.1.50");
	struct neigh_watch *w = nullptr;

	assert_int_equal(neigh_watch_open(tap, &a, &w, nullptr), 0);
	assert_int_equal(neigh_watch_read(w), 0);
	assert_string_equal(neigh_watch_lladdr(w, 0), "");
	neigh_set(n, tap, "10.0.1.50", 1);
	neigh_set(n, tap, "10.0.1.51", 9);
	assert_int_equal(neigh_watch_read(w), 0);
	assert_string_equal(neigh_watch_lladdr(w, 0), "02:00:00:00:01:01");
	assert_string_equal(neigh_watch_lladdr(w, 1), "");
	neigh_set(n, tap, "10.0.1.50", 2);
	neigh_set(n, tap, "10.0.1.50", 1);
	assert_int_equal(neigh_watch_read(w), 0);
	assert_string_equal(neigh_watch_lladdr(w, 1), "02:00:00:00:01:02");
	assert_string_equal(neigh_watch_lladdr(w, 2), "");
	neigh_watch_close(w);
	close(fd);
}

/* ---- counters ---- */

static void test_counters(void **state)
{
	struct netns *n = *state;
	struct counter_set before = {}, after = {};
	netns_address(n, RTM_NEWADDR, n->mesh, "100.96.0.18/12");

	assert_int_equal(counter_read(&before, nullptr), 0);
	assert_int_equal(counter_add_link(n->nl, n->mesh, "mesh0", &before, nullptr), 0);
	counter_sort(&before);
	for (unsigned i = 0; i < 600; i++)
		send_to("100.96.0.10");
	assert_int_equal(counter_read(&after, nullptr), 0);
	assert_int_equal(counter_add_link(n->nl, n->mesh, "mesh0", &after, nullptr), 0);
	counter_sort(&after);

	for (size_t i = 1; i < after.n; i++)
		assert_true(strcmp(after.list[i - 1].name, after.list[i].name) < 0);
	assert_int_equal(counter_growth(&before, &after, "UdpOutDatagrams"), 600);
	assert_true(counter_growth(&before, &after, "IpOutRequests") >= 600);
	assert_true(counter_growth(&before, &after, "mesh0.tx_dropped") > 0);
	assert_int_equal(counter_growth(&before, &after, "NoSuchCounter"), 0);
	static const char *const there[] = {"IpInAddrErrors", "IcmpOutRedirects",
		"TcpExtIPReversePathFilter", "IpExtInNoRoutes", "Ip6InAddrErrors",
		"rt_cache.in_martian_src", "mesh0.rx_packets"};
	for (size_t i = 0; i < COUNT(there); i++)
		if (!counter_find(&after, there[i]))
			fail_msg("no counter %s", there[i]);
	assert_int_equal(counter_add_link(n->nl, 4711, "x", &after, nullptr), -ENODEV);
	counter_set_clear(&before);
	counter_set_clear(&after);
}

/* ---- sockets ---- */

static int listen_on(const char *address, uint16_t port, int type, bool v6_only)
{
	struct addr a = netns_addr(address);
	int fd = socket(a.family, type | SOCK_CLOEXEC, 0), on = v6_only;
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	memcpy(&v4.sin_addr, a.b, 4);
	memcpy(&v6.sin6_addr, a.b, 16);
	if (a.family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	int r = a.family == AF_INET ? bind(fd, (struct sockaddr *)&v4, sizeof(v4))
				    : bind(fd, (struct sockaddr *)&v6, sizeof(v6));
	assert_int_equal(r, 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 7), 0);
	return fd;
}

static void test_listeners(void **state)
{
	struct netns *n = *state;
	static const struct {
		const char *address;
		uint16_t port;
		int type;
		bool v6_only, takes4, takes6, loopback;
	} cases[] = {
		{"0.0.0.0", 1001, SOCK_STREAM, false, true, false, false},
		{"127.0.0.1", 1002, SOCK_STREAM, false, false, false, true},
		{"10.0.1.11", 1003, SOCK_STREAM, false, true, false, false},
		{"::", 1004, SOCK_STREAM, false, true, true, false},
		{"::", 1005, SOCK_STREAM, true, false, true, false},
		{"::1", 1006, SOCK_STREAM, true, false, false, true},
		{"0.0.0.0", 1007, SOCK_DGRAM, false, true, false, false},
	};
	const struct addr v4 = netns_addr("10.0.1.11"), v6 = netns_addr("2001:db8:1::11");
	struct nl_sock *nl = nullptr;
	struct listener_set set = {};
	netns_address(n, RTM_NEWADDR, n->lan, "10.0.1.11/24");
	assert_int_equal(nl_open(NETLINK_SOCK_DIAG, &nl, nullptr), 0);

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t proto = cases[i].type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
		uint16_t port = cases[i].port;
		assert_int_equal(sockdiag_listeners(nl, proto, port, &set, nullptr), 0);
		assert_int_equal(set.n, 0);
		int fd = listen_on(cases[i].address, port, cases[i].type, cases[i].v6_only);
		assert_int_equal(sockdiag_listeners(nl, proto, port, &set, nullptr), 0);
		assert_int_equal(set.n, 1);
		assert_int_equal(listener_takes(&set.list[0], &v4), cases[i].takes4);
		assert_int_equal(listener_takes(&set.list[0], &v6), cases[i].takes6);
		assert_int_equal(listener_is_loopback(&set.list[0]), cases[i].loopback);
		assert_int_equal(set.list[0].backlog, proto == IPPROTO_TCP ? 7 : 0);
		close(fd);
	}
	listener_set_clear(&set);
	nl_close(nl);
}

static void test_link_kinds(void **state)
{
	struct netns *n = *state;
	struct link_set set = {};
	assert_int_equal(link_dump(n->nl, &set, nullptr), 0);
	assert_string_equal(link_by_name(&set, "mesh0")->kind, "tun");
	assert_int_equal(link_by_name(&set, "mesh0")->master, 0);
	assert_string_equal(link_by_name(&set, "lo")->kind, "");
	link_set_clear(&set);
}

/* ---- platform ---- */

static void put_file(const char *folder, const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
	if (!text)
		return;
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "%s\n", text);
	fclose(f);
}

static void test_platform(void **)
{
	static const struct {
		const char *vendor, *product, *bios, *version, *chassis, *provider;
	} cases[] = {
		{"Amazon EC2", "t3.small", "Amazon EC2", "1.0", nullptr, "aws"},
		{"Xen", "HVM domU", "Xen", "4.11.amazon", nullptr, "aws"},
		{"Google", "Google Compute Engine", "Google", "Google", nullptr, "gcp"},
		{"Microsoft Corporation", "Virtual Machine", "Microsoft Corporation", "v4.1",
			"7783-7084-3265-9085-8269-3286-77", "azure"},
		{"Microsoft Corporation", "Virtual Machine", "Microsoft Corporation", "v4.1",
			"None", ""},
		{"QEMU", "Standard PC", "Proxmox distribution of EDK II", "4.2023", "", "proxmox"},
		{"QEMU", "Standard PC", "SeaBIOS", "rel-1.16.3", "", ""},
		{nullptr, nullptr, nullptr, nullptr, nullptr, ""},
	};
	char folder[] = "/tmp/meshgw-dmi-XXXXXX";
	struct platform p;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < COUNT(cases); i++) {
		put_file(folder, "sys_vendor", cases[i].vendor);
		put_file(folder, "product_name", cases[i].product);
		put_file(folder, "bios_vendor", cases[i].bios);
		put_file(folder, "bios_version", cases[i].version);
		put_file(folder, "chassis_asset_tag", cases[i].chassis);
		assert_int_equal(platform_read(folder, &p), 0);
		assert_string_equal(p.provider, cases[i].provider);
		if (i == 0)
			assert_string_equal(p.vendor, "Amazon EC2 t3.small");
	}
	assert_string_equal(p.vendor, "");
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(platform_read(folder, &p), -ENOENT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, netns_setup, netns_teardown)

int main(void)
{
	if (!netns_may())
		return NETNS_SKIP;
	const struct CMUnitTest tests[] = {
		TEST(test_neighbours),
		TEST(test_neighbour_watch),
		TEST(test_counters),
		TEST(test_listeners),
		TEST(test_link_kinds),
		cmocka_unit_test(test_platform),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
