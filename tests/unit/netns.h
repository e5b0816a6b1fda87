/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * netns: a fixture for tests that change a real kernel's network state, each in a new network
 * namespace of its own. It writes with requests built here, not with the code under test, and
 * stands for everybody else on the machine: "foreign" routes, rules, addresses.
 *
 * main() calls netns_may() first and returns NETNS_SKIP when it says no; then netns_setup() and
 * netns_teardown() around each test. *state is the struct netns.
 */
#include "lib/ip.h"
#include "net/nl.h"
#include "net/route.h"

constexpr int NETNS_SKIP = 77; /* SKIP_RETURN_CODE of these tests */

struct netns {
	struct nl_sock *nl;    /* for the code under test */
	struct nl_sock *other; /* for this fixture */
	int mesh, lan;         /* ifindex of two TUN devices, both up, without addresses */
	int mesh_fd, lan_fd;
};

/* May this process make network namespaces and TUN devices (if need be as root of a new user
 * namespace)? Says why not on stderr. */
bool netns_may(void);

int netns_setup(void **state);
int netns_teardown(void **state);

struct addr netns_addr(const char *text);
struct prefix netns_prefix(const char *text);

/* One more TUN device, up; returns its descriptor. */
int netns_tun(const char *name, int *ifindex);
void netns_link_up(const char *name, bool up);
/* "100.96.0.18/32", host bits and all. */
void netns_address(struct netns *n, uint16_t type, int ifindex, const char *text);
/* A route of type r->type (0 = unicast), by r->gateway if it has a family. 0 or -errno. */
int netns_route(struct netns *n, uint16_t type, uint16_t flags, const struct route *r);
/* "not from all fwmark MARK lookup TABLE", as WARP writes it: without a priority. */
void netns_rule(struct netns *n, uint8_t family, uint32_t mark, uint32_t table);
/* The head of a message to a subsystem of netfilter. */
struct nlmsghdr *netns_netfilter(
	struct nl_message *m, unsigned subsystem, unsigned type, uint16_t flags, uint8_t family);
/* A datagram to its port 3000, from whatever address the kernel takes. */
void netns_send_to(const char *address);
