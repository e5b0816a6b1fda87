/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kernel_dummy: a kernel in memory, for tests and fuzzing. It behaves like the real one in what
 * the reconciler relies on: routes go with their link, IPv4 ones also with its last address; the
 * same route cannot be added twice; a lookup takes the longest prefix, and obeys forwarding and
 * rp_filter; a table written twice has one digest. Any of its calls can be made to fail.
 *
 * Its state is open: tests set it up and look at it. dummy_load() reads it from text, one fact a
 * line, and dummy_print() writes it in the same form:
 *
 *   link 3 CloudflareWARP up mtu 1280        (up, down or no-carrier)
 *   address 3 100.96.0.18/32                 (" ra" behind it: from a router advertisement)
 *   sysctl ipv4/conf/eth0/forwarding 0
 *   route 10.0.1.0/24 dev 2 proto 2 metric 0 (" table N", " type blackhole" behind it)
 *   rule 5270 table 52                       (IPv4; shown to who lists rules, no lookup obeys it)
 *   nft                                      (table inet meshgw exists, contents unknown)
 *   tailscale 0                              (its chain drops 100.64.0.0/10; rules of ours in it)
 *
 * Lookups know no rules: a route in another table than main is met first, as behind the rule of
 * Cloudflare's client.
 */
#include "daemon/kernel.h"
#include <stdio.h>

struct dummy_sysctl {
	char key[SYSCTL_KEY_LEN];
	int value;
};

constexpr size_t DUMMY_WRITE_LEN = 128;

/* A service, and what comes of probing it. Those that nobody named answer both ways. */
struct dummy_service {
	struct addr address;
	uint16_t port;
	int own;       /* what probe_check() says: 1, -ECONNREFUSED, -EINPROGRESS … */
	bool rejected; /* a connection from the own address does not get out: no conntrack entry */
	bool filtered; /* nor does a probe from the mesh */
	uint32_t
		answer; /* MARK_PROBE_… bits that a probe from the mesh brings about; 0 = silence */
	uint32_t status; /* more IPS_… bits of its entry */
	int error;       /* positive errno: no probe can even be sent */
};

/* A flow that conntrack knows. */
struct dummy_flow {
	struct ct_flow flow;
	struct ct_state state;
};

/* Tailscale's filter, of IPv4 alone. */
struct dummy_tailscale {
	bool present;
	size_t n_ours;
	uint64_t ours; /* what our rules are made of */
};

/* Which of a series of calls fail. */
struct dummy_faults {
	unsigned calls; /* so far */
	unsigned at;    /* the call with this number (from 1) fails … */
	unsigned times; /* … and so do those after it, this many in all */
	int error;      /* positive errno */
};

struct kernel_dummy {
	struct kernel base;
	struct link_set links;
	struct ifaddr_set addresses;
	struct route_set routes;
	struct rule_set rules; /* IPv4, without the kernel's own */
	struct dummy_sysctl *sysctls;
	size_t n_sysctls, cap_sysctls;
	struct nft_state nft;
	struct nft_modes modes;   /* what the table masquerades … */
	bool has_nat;             /* … if it masquerades at all */
	unsigned conntrack_calls; /* ct_delete */
	unsigned conntrack_kinds; /* of the last one */

	struct dummy_service *services;
	size_t n_services, cap_services;
	struct dummy_flow *flows; /* ct_list, ct_lookup, ct_delete; probes add theirs */
	size_t n_flows, cap_flows;
	struct nft_witness *witnesses;
	size_t n_witnesses, cap_witnesses;
	struct probe_target *probes; /* all that were sent */
	size_t n_probes, cap_probes;
	uint16_t probe_port; /* of the last one */
	struct dummy_tailscale tailscale;

	struct dummy_faults writes, reads;
	char (*log)[DUMMY_WRITE_LEN]; /* names of all writes tried: "route_add 100.64.0.0/12" */
	size_t n_log, cap_log;
	void (*on_write)(void);      /* called before each write, unless nullptr */
	char stuck[DUMMY_WRITE_LEN]; /* every call of this name fails with stuck_error */
	int stuck_error;
};

struct kernel_dummy *dummy_new(void);
/* 0, or the number of the first line that is not understood. */
[[nodiscard]] unsigned dummy_load(struct kernel_dummy *d, const char *text);
/* Sorted, so that two kernels in the same state print the same. The table's digest is shown. */
void dummy_print(const struct kernel_dummy *d, FILE *out);

/* Adds a service, or changes what was said about it. */
void dummy_service(struct kernel_dummy *d, const struct dummy_service *service);
void dummy_flow(struct kernel_dummy *d, const struct dummy_flow *flow);
void dummy_witness(struct kernel_dummy *d, const char *address, uint16_t port, uint64_t age_us);

/* Interfaces come and go with their routes. */
void dummy_link(
	struct kernel_dummy *d, int ifindex, const char *name, unsigned flags, unsigned mtu);
void dummy_unlink(struct kernel_dummy *d, int ifindex);
/* The last IPv4 address of an interface goes with every IPv4 route on it. */
void dummy_unaddress(struct kernel_dummy *d, int ifindex, const char *address);
void dummy_sysctl(struct kernel_dummy *d, const char *key, int value);
int dummy_sysctl_value(const struct kernel_dummy *d, const char *key); /* -1 = no such key */
/* In front of its like, as a later IPv4 route of another protocol is. */
void dummy_route(struct kernel_dummy *d, const struct route *r);
const struct route *dummy_find_route(
	const struct kernel_dummy *d, const struct prefix *dst, uint8_t protocol);

/* The next call of the series but skip, and `times` in all, fail with error. */
void dummy_fail(struct dummy_faults *series, unsigned skip, unsigned times, int error);
/* Every write of this name (see log) fails, or every read of "links", "addresses", "netconfs",
 * "routes", "rules", "nft", "foreign", or every "witnesses", "ct_delete", "ct_list", "ct_lookup" or
 * "probe_send"; nullptr ends it. The last five belong to no series of faults. */
void dummy_stick(struct kernel_dummy *d, const char *call, int error);
