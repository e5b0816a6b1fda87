/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/own.h"
#include "lib/xmalloc.h"
#include "netns.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_tun.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static bool write_file(const char *path, const char *text)
{
	autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* user_namespaces(7): setgroups is denied before an unprivileged process writes gid_map. */
static bool become_root_of_user_namespace(void)
{
	char uids[32], gids[32];
	snprintf(uids, sizeof(uids), "0 %u 1\n", geteuid());
	snprintf(gids, sizeof(gids), "0 %u 1\n", getegid());

	return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 &&
	       write_file("/proc/self/setgroups", "deny\n") &&
	       write_file("/proc/self/uid_map", uids) && write_file("/proc/self/gid_map", gids);
}

bool netns_may(void)
{
	if (unshare(CLONE_NEWNET) < 0 && !become_root_of_user_namespace()) {
		perror("skipped: no network namespace");
		return false;
	}
	if (access("/dev/net/tun", R_OK | W_OK) < 0) {
		perror("skipped: /dev/net/tun");
		return false;
	}
	return true;
}

static void interface_ioctl(unsigned long request, struct ifreq *ifr)
{
	autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, request, ifr), 0);
}

void netns_link_up(const char *name, bool up)
{
	struct ifreq ifr = {};
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	interface_ioctl(SIOCGIFFLAGS, &ifr);
	ifr.ifr_flags = (short)(up ? ifr.ifr_flags | IFF_UP : ifr.ifr_flags & ~IFF_UP);
	interface_ioctl(SIOCSIFFLAGS, &ifr);
}

int netns_tun(const char *name, int *ifindex)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
	netns_link_up(name, true);
	*ifindex = (int)if_nametoindex(name);
	assert_int_not_equal(*ifindex, 0);
	return fd;
}

int netns_setup(void **state)
{
	struct netns *n = xcalloc(1, sizeof(*n));
	struct err err = {};

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	netns_link_up("lo", true);
	n->mesh_fd = netns_tun("mesh0", &n->mesh);
	n->lan_fd = netns_tun("lan0", &n->lan);
	assert_int_equal(nl_open(NETLINK_ROUTE, &n->nl, &err), 0);
	assert_int_equal(nl_open(NETLINK_ROUTE, &n->other, &err), 0);
	*state = n;
	return 0;
}

int netns_teardown(void **state)
{
	struct netns *n = *state;
	nl_close(n->nl);
	nl_close(n->other);
	close(n->mesh_fd);
	close(n->lan_fd);
	free(n);
	return 0;
}

struct addr netns_addr(const char *text)
{
	struct addr a = {};
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

struct prefix netns_prefix(const char *text)
{
	struct prefix p = {};
	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void put_addr(struct nlmsghdr *nlh, uint16_t type, const struct addr *a)
{
	mnl_attr_put(nlh, type, addr_bytes(a->family), a->b);
}

void netns_address(struct netns *n, uint16_t type, int ifindex, const char *text)
{
	char host[PREFIX_STRLEN];
	snprintf(host, sizeof(host), "%s", text);
	char *len = strchr(host, '/');
	assert_non_null(len);
	*len++ = '\0';
	struct addr a = netns_addr(host);

	struct nl_message m;
	struct ifaddrmsg ifa = {
		.ifa_family = a.family,
		.ifa_prefixlen = (uint8_t)strtoul(len, nullptr, 10),
		.ifa_index = (unsigned)ifindex,
		.ifa_flags = IFA_F_NODAD,
	};
	struct nlmsghdr *nlh = nl_begin(&m, type, NLM_F_CREATE, &ifa, sizeof(ifa));
	put_addr(nlh, IFA_LOCAL, &a);
	put_addr(nlh, IFA_ADDRESS, &a);
	struct err err = {};
	if (nl_request(n->other, nlh, &err) < 0)
		fail_msg("address %s: %s", text, err.msg);
}

int netns_route(struct netns *n, uint16_t type, uint16_t flags, const struct route *r)
{
	struct nl_message m;
	struct rtmsg rtm = {
		.rtm_family = r->dst.addr.family,
		.rtm_dst_len = r->dst.len,
		.rtm_protocol = r->protocol,
		.rtm_type = r->type ? r->type : RTN_UNICAST,
		.rtm_scope = r->gateway.family || r->oif == 0 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
	};
	struct nlmsghdr *nlh = nl_begin(&m, type, flags, &rtm, sizeof(rtm));
	put_addr(nlh, RTA_DST, &r->dst.addr);
	mnl_attr_put_u32(nlh, RTA_TABLE, r->table ? r->table : RT_TABLE_MAIN);
	if (r->metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, r->metric);
	if (r->oif)
		mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)r->oif);
	if (r->gateway.family)
		put_addr(nlh, RTA_GATEWAY, &r->gateway);
	return nl_request(n->other, nlh, nullptr);
}

void netns_rule(struct netns *n, uint8_t family, uint32_t mark, uint32_t table)
{
	struct nl_message m;
	struct fib_rule_hdr frh = {
		.family = family,
		.action = FR_ACT_TO_TBL,
		.flags = FIB_RULE_INVERT,
	};
	struct nlmsghdr *nlh = nl_begin(
		&m, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, &frh, sizeof(frh));
	mnl_attr_put_u32(nlh, FRA_FWMARK, mark);
	mnl_attr_put_u32(nlh, FRA_TABLE, table);
	assert_int_equal(nl_request(n->other, nlh, nullptr), 0);
}

struct nlmsghdr *netns_netfilter(
	struct nl_message *m, unsigned subsystem, unsigned type, uint16_t flags, uint8_t family)
{
	struct nfgenmsg nfg = {.nfgen_family = family, .version = NFNETLINK_V0};
	return nl_begin(m, (uint16_t)(subsystem << 8 | type), flags, &nfg, sizeof(nfg));
}

void netns_send_to(const char *address)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(3000)};
	inet_pton(AF_INET, address, &to.sin_addr);
	if (fd < 0 || sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) != 1)
		fail_msg("cannot send to %s", address);
	close(fd);
}
