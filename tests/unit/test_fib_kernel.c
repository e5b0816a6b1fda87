/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/fib.h against the kernel: random rules and routes, random questions, and both must give the
 * same answer. A failure prints the seed of its world; MESHGW_SEED=N begins with that one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/err.h"
#include "net/fib.h"
#include "net/netconf.h"
#include "netns.h"
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

constexpr unsigned WORLDS = 16; /* of each family */
constexpr unsigned ROUTES = 40;
constexpr unsigned RULES = 9;
constexpr unsigned QUESTIONS = 70;

/* ---- chance ---- */

static uint64_t seed, dice;

/* splitmix64 */
static uint64_t roll(void)
{
	uint64_t z = dice += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static unsigned below(unsigned n)
{
	return (unsigned)(roll() % n);
}

static bool one_in(unsigned n)
{
	return below(n) == 0;
}

#define PICK(array) ((array)[below(COUNT(array))])

/* ---- a world ---- */

struct world {
	struct netns *n;
	uint8_t family;
	int dark, dark_fd; /* a link without carrier */
};

static const char *const interfaces[] = {"mesh0", "lan0", "dark0"};

static int ifindex_of(const struct world *w, const char *name)
{
	return !strcmp(name, "mesh0") ? w->n->mesh : !strcmp(name, "lan0") ? w->n->lan : w->dark;
}

/* Few enough that prefixes meet: 10.[0-3].[0-3].[1-3], 2001:db8:[0-3]:[0-3]::[1-3]. */
static struct addr some_addr(uint8_t family)
{
	char text[ADDR_STRLEN];
	unsigned a = below(4), b = below(4), c = 1 + below(3);
	if (family == AF_INET)
		snprintf(text, sizeof(text), "10.%u.%u.%u", a, b, c);
	else
		snprintf(text, sizeof(text), "2001:db8:%x:%x::%x", a, b, c);
	return netns_addr(text);
}

static struct prefix some_prefix(uint8_t family)
{
	static const uint8_t lens4[] = {0, 0, 8, 14, 15, 16, 22, 23, 24, 30, 32};
	static const uint8_t lens6[] = {0, 0, 32, 46, 47, 48, 62, 63, 64, 126, 128};
	struct prefix p = {.addr = some_addr(family)};
	p.len = family == AF_INET ? PICK(lens4) : PICK(lens6);
	for (unsigned bit = p.len; bit < addr_bits(family); bit++)
		p.addr.b[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
	return p;
}

static const char *own_address(uint8_t family)
{
	return family == AF_INET ? "10.1.1.11" : "2001:db8:1:1::11";
}

/* An IPv6 address gets its local route from a work queue (net/ipv6/addrconf.c). */
static void await_own_address(const struct world *w)
{
	struct route_question q = {.dst = netns_addr(own_address(w->family))};
	struct route_answer answer = {};
	for (unsigned i = 0; i < 2000; i++) {
		assert_int_equal(route_ask(w->n->nl, &q, &answer, nullptr), 0);
		if (answer.error == 0 && answer.route.type == RTN_LOCAL)
			return;
		usleep(1000);
	}
	fail_msg("seed %lu: the address does not come", seed);
}

static void world_open(struct world *w, uint8_t family)
{
	void *state;
	netns_setup(&state);
	*w = (struct world){.n = state, .family = family};
	w->dark_fd = netns_tun("dark0", &w->dark);
	int carrier = 0;
	assert_int_equal(ioctl(w->dark_fd, TUNSETCARRIER, &carrier), 0);
	assert_int_equal(sysctl_set("ipv4/ip_forward", 1), 0);
	assert_int_equal(sysctl_set("ipv6/conf/all/forwarding", 1), 0);
	bool ignore = one_in(2);
	assert_int_equal(sysctl_set("ipv4/conf/dark0/ignore_routes_with_linkdown", ignore), 0);
	assert_int_equal(sysctl_set("ipv6/conf/dark0/ignore_routes_with_linkdown", ignore), 0);
	char text[PREFIX_STRLEN];
	snprintf(text, sizeof(text), "%s/%u", own_address(family), addr_bits(family));
	netns_address(w->n, RTM_NEWADDR, w->n->lan, text);
	await_own_address(w);
}

static void world_close(struct world *w)
{
	void *state = w->n;
	close(w->dark_fd);
	netns_teardown(&state);
}

static const uint32_t tables[] = {RT_TABLE_MAIN, RT_TABLE_MAIN, RT_TABLE_DEFAULT, 100, 65743};

static void add_route(struct world *w)
{
	static const uint8_t types[] = {RTN_UNICAST, RTN_UNICAST, RTN_UNICAST, RTN_UNICAST,
		RTN_UNICAST, RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT, RTN_THROW};
	static const uint16_t flags[] = {NLM_F_CREATE, NLM_F_CREATE | NLM_F_APPEND};
	struct route r = {
		.dst = some_prefix(w->family),
		.table = PICK(tables),
		.metric = 10 + below(3),
		.protocol = (uint8_t)(100 + below(4)),
		.type = PICK(types),
	};
	if (r.type == RTN_UNICAST)
		r.oif = ifindex_of(w, PICK(interfaces));
	int res = netns_route(w->n, RTM_NEWROUTE, PICK(flags), &r);
	assert_true(res == 0 || res == -EEXIST);
}

static void put_prefix(struct nlmsghdr *nlh, uint16_t type, const struct prefix *p)
{
	mnl_attr_put(nlh, type, addr_bytes(p->addr.family), p->addr.b);
}

static void put_ports(struct nlmsghdr *nlh, uint16_t type)
{
	uint16_t first = (uint16_t)(1 + below(4));
	struct fib_rule_port_range range = {first, (uint16_t)(first + below(3))};
	mnl_attr_put(nlh, type, sizeof(range), &range);
}

static void put_selectors(struct nlmsghdr *nlh, struct fib_rule_hdr *frh, uint8_t family)
{
	static const char *const names[] = {"mesh0", "lan0", "lo", "nosuch0"};
	static const uint32_t masks[] = {UINT32_MAX, 1, 2, 6};
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};

	if (one_in(3)) {
		struct prefix p = some_prefix(family);
		frh->src_len = p.len;
		put_prefix(nlh, FRA_SRC, &p);
	}
	if (one_in(3)) {
		struct prefix p = some_prefix(family);
		frh->dst_len = p.len;
		put_prefix(nlh, FRA_DST, &p);
	}
	if (one_in(3)) {
		mnl_attr_put_u32(nlh, FRA_FWMARK, below(4));
		mnl_attr_put_u32(nlh, FRA_FWMASK, PICK(masks));
	}
	if (one_in(5))
		mnl_attr_put_strz(nlh, FRA_IIFNAME, PICK(names));
	if (one_in(8))
		mnl_attr_put_strz(nlh, FRA_OIFNAME, PICK(names));
	if (one_in(6))
		mnl_attr_put_u8(nlh, FRA_IP_PROTO, PICK(protos));
	if (one_in(8))
		put_ports(nlh, FRA_SPORT_RANGE);
	if (one_in(8))
		put_ports(nlh, FRA_DPORT_RANGE);
	if (one_in(8)) {
		struct fib_rule_uid_range uids = {below(2), 1000};
		mnl_attr_put(nlh, FRA_UID_RANGE, sizeof(uids), &uids);
	}
}

static void add_rule(struct world *w)
{
	static const uint8_t actions[] = {FR_ACT_TO_TBL, FR_ACT_TO_TBL, FR_ACT_TO_TBL,
		FR_ACT_TO_TBL, FR_ACT_TO_TBL, FR_ACT_GOTO, FR_ACT_NOP, FR_ACT_BLACKHOLE,
		FR_ACT_UNREACHABLE, FR_ACT_PROHIBIT};
	static const uint32_t suppressed[] = {0, 8, 16, 32, 48};
	struct nl_message m;
	struct fib_rule_hdr frh = {.family = w->family, .action = PICK(actions)};
	uint32_t priority = 100 * (1 + below(12));
	struct nlmsghdr *nlh = nl_begin(
		&m, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, &frh, sizeof(frh));

	put_selectors(nlh, &frh, w->family);
	if (one_in(4))
		frh.flags |= FIB_RULE_INVERT;
	mnl_attr_put_u32(nlh, FRA_PRIORITY, priority);
	if (frh.action == FR_ACT_GOTO)
		mnl_attr_put_u32(nlh, FRA_GOTO, priority + 100 * (1 + below(4)));
	if (frh.action == FR_ACT_TO_TBL) {
		mnl_attr_put_u32(nlh, FRA_TABLE, PICK(tables));
		if (one_in(4))
			mnl_attr_put_u32(nlh, FRA_SUPPRESS_PREFIXLEN, PICK(suppressed));
	}
	memcpy(mnl_nlmsg_get_payload(nlh), &frh, sizeof(frh));
	struct err err = {};
	int r = nl_request(w->n->other, nlh, &err);
	if (r < 0 && r != -EEXIST)
		fail_msg("seed %lu: rule: %s", seed, err.msg);
}

/* ---- questions ---- */

static struct fib_flow some_flow(const struct world *w)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct fib_flow f = {
		.to = some_addr(w->family),
		.mark = below(4),
		.proto = PICK(protos),
		.sport = (uint16_t)(1 + below(6)),
		.dport = (uint16_t)(1 + below(6)),
	};
	if (one_in(30))
		f.to = netns_addr(own_address(w->family));
	if (!one_in(3)) {
		snprintf(f.iif_name, sizeof(f.iif_name), "%s", one_in(2) ? "mesh0" : "lan0");
		f.iif = ifindex_of(w, f.iif_name);
		f.from = some_addr(w->family);
		/* Of an entered packet, but in an IPv6 question nobody is its sender. */
		f.uid = w->family == AF_INET ? 0 : UINT32_MAX;
		return f;
	}
	if (one_in(2))
		f.from = netns_addr(own_address(w->family));
	/* In IPv4 an interface that is asked for has an answer even without a route. */
	if (w->family == AF_INET6 && one_in(3)) {
		snprintf(f.oif_name, sizeof(f.oif_name), "%s", one_in(2) ? "mesh0" : "lan0");
		f.oif = ifindex_of(w, f.oif_name);
	}
	return f;
}

static void ask(
	const struct world *w, const struct fib_flow *f, bool match, struct route_answer *answer)
{
	struct route_question q = {
		.src = f->from,
		.dst = f->to,
		.iif = f->iif,
		.oif = f->oif,
		.mark = f->mark,
		.proto = f->proto,
		.sport = f->sport,
		.dport = f->dport,
		.fib_match = match,
	};
	struct err err = {};
	if (route_ask(w->n->nl, &q, answer, &err) < 0)
		fail_msg("seed %lu: %s", seed, err.msg);
}

static const char *result_str(const struct fib_result *r, char *buf, size_t size)
{
	char rule[RULE_STRLEN] = "", route[ROUTE_STRLEN] = "";
	if (r->rule)
		rule_str(r->rule, rule, sizeof(rule));
	if (r->entry)
		route_str(r->entry, route, sizeof(route));
	snprintf(buf, size, "error %d, rule \"%s\", route \"%s\" type %d", r->error, rule, route,
		r->entry ? r->entry->type : -1);
	return buf;
}

[[noreturn]] static void disagree(const struct fib *fib, const struct fib_flow *f,
	const struct fib_result *r, const struct route_answer *a, const char *what)
{
	char ours[600], theirs[ROUTE_STRLEN] = "", from[ADDR_STRLEN] = "-", to[ADDR_STRLEN];

	for (size_t i = 0; i < fib->rules.n; i++)
		fprintf(stderr, "%s\n", rule_str(&fib->rules.list[i], ours, sizeof(ours)));
	for (size_t i = 0; i < fib->routes.n; i++)
		fprintf(stderr, "%s type %u flags %x\n",
			route_str(&fib->routes.list[i], ours, sizeof(ours)),
			fib->routes.list[i].type, fib->routes.list[i].nexthop_flags);
	if (a->error == 0)
		route_str(&a->route, theirs, sizeof(theirs));
	if (f->from.family)
		addr_str(&f->from, from);
	fail_msg("seed %lu: %s\nfrom %s to %s iif %s oif %s mark %u proto %u ports %u %u\n"
		 "kernel: error %d, \"%s\" type %u\nfib:    %s",
		seed, what, from, addr_str(&f->to, to), f->iif_name, f->oif_name, f->mark, f->proto,
		f->sport, f->dport, a->error, theirs, a->route.type,
		result_str(r, ours, sizeof(ours)));
}

/* Returns 1 if it was an error that both agree about. */
static unsigned compare(const struct world *w, const struct fib *fib, const struct fib_flow *f)
{
	struct fib_result r;
	struct route_answer a, entry;

	fib_lookup(fib, f, &r);
	assert_false(r.unsure);
	ask(w, f, false, &a);
	if (a.error != r.error)
		disagree(fib, f, &r, &a, "errors differ");
	if (r.error)
		return 1;
	assert_non_null(r.entry);
	assert_non_null(r.rule);
	/* Without rules of others the kernel has local and main in one IPv4 table. */
	bool same_table = a.route.table == r.entry->table ||
			  (r.entry->type == RTN_LOCAL && a.route.table == RT_TABLE_MAIN);
	if (a.route.type != r.entry->type || !same_table)
		disagree(fib, f, &r, &a, "types or tables differ");
	if (r.entry->type == RTN_UNICAST && a.route.oif != r.entry->oif)
		disagree(fib, f, &r, &a, "interfaces differ");
	ask(w, f, true, &entry);
	if (entry.error || prefix_cmp(&entry.route.dst, &r.entry->dst) != 0 ||
		entry.route.metric != r.entry->metric || entry.route.protocol != r.entry->protocol)
		disagree(fib, f, &r, &entry, "entries differ");
	return 0;
}

static void one_world(uint8_t family, unsigned *refused)
{
	struct world w;
	dice = seed;
	world_open(&w, family);
	for (unsigned i = 0; i < ROUTES; i++)
		add_route(&w);
	for (unsigned i = 0; i < RULES && seed % 8 != 0; i++)
		add_rule(&w);
	for (unsigned i = 0; i < QUESTIONS; i++) {
		struct fib_flow f = some_flow(&w);
		struct fib fib = {};
		struct err err = {};
		if (fib_read(w.n->nl, &f.to, 1, &fib, &err) < 0)
			fail_msg("seed %lu: %s", seed, err.msg);
		*refused += compare(&w, &fib, &f);
		fib_clear(&fib);
	}
	world_close(&w);
}

static void same_as_kernel(uint8_t family)
{
	const char *text = getenv("MESHGW_SEED");
	uint64_t first = text ? strtoull(text, nullptr, 10) : 1;
	unsigned refused = 0;

	for (unsigned i = 0; i < WORLDS; i++) {
		seed = first + i;
		one_world(family, &refused);
	}
	/* Neither nothing nor everything. */
	assert_in_range(refused, WORLDS * QUESTIONS / 50, WORLDS * QUESTIONS * 9 / 10);
}

static void test_same_as_kernel4(void **)
{
	same_as_kernel(AF_INET);
}

static void test_same_as_kernel6(void **)
{
	same_as_kernel(AF_INET6);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_as_kernel4),
		cmocka_unit_test(test_same_as_kernel6),
	};
	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
