/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill -9 at every system call of each change and of a start that can leave something behind, over
 * the real kernel. The next start must bring back the whole of the one state or the whole of the
 * other, packets must pass, and all of it must still be possible to take down.
 *
 * Where the disk refuses, and steps finer than a system call: test_reload_faults.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/kernel_linux.h"
#include "doomed.h"
#include "lib/own.h"
#include "netns.h"
#include "packet.h"
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define CALL(method, parameters) \
	"{\"method\":\"io.meshgw.Gateway." method "\",\"parameters\":{" parameters "}}"
#define CONTENT(ranges, mode)                                                               \
	"\"content\":\"{mesh: {interface: mesh0, ranges: {" ranges "}}, lan: [{interface: " \
	"lan0, networks: [10.0.1.0/24, '2001:db8:1::/64']}], return_path: " mode "}\""
#define ONE CONTENT("", "masquerade")
#define TWO CONTENT("workers: [100.64.0.0/10, '2606:4700:cf1:5000::/60'], devices: []", "route")

#define APPLY_ONE CALL("Apply", ONE)
#define APPLY_TWO CALL("Apply", TWO)
#define TRY_TWO CALL("Apply", TWO ",\"confirmSeconds\":600")
#define CONFIRM CALL("Confirm", "")
#define UNDO CALL("Undo", "")
#define DOWN CALL("Down", "")

enum state { NOTHING, IS_ONE, IS_TWO, STATES };

static const struct change {
	const char *name;
	const char *prepare[3]; /* requests that come before */
	const char *request;    /* nullptr = a start */
	enum state before, after;
} changes[] = {
	{"first apply", {}, APPLY_ONE, NOTHING, IS_ONE},
	{"apply", {APPLY_ONE}, APPLY_TWO, IS_ONE, IS_TWO},
	{"apply, to be confirmed", {APPLY_ONE}, TRY_TWO, IS_ONE, IS_ONE},
	{"confirm", {APPLY_ONE, TRY_TWO}, CONFIRM, IS_ONE, IS_TWO},
	{"undo", {APPLY_ONE, APPLY_TWO}, UNDO, IS_TWO, IS_ONE},
	{"apply after down", {APPLY_ONE, DOWN}, APPLY_TWO, NOTHING, IS_TWO},
	{"down", {APPLY_ONE}, DOWN, IS_ONE, NOTHING},
	{"start", {APPLY_ONE}, nullptr, IS_ONE, IS_ONE},
};

struct site {
	struct netns *net;
	struct doomed daemon;
	char *states[STATES]; /* what the kernel looks like when nobody dies */
};

/* ---- the kernel ---- */

static void print_routes(struct kernel *k, FILE *f)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < COUNT(families); i++) {
		struct route_filter filter = {.family = families[i], .table = RT_TABLE_MAIN};
		struct route_set set = {};
		char text[ROUTE_STRLEN];

		assert_int_equal(k->ops->routes(k, &filter, nullptr, nullptr, &set, nullptr), 0);
		for (size_t r = 0; r < set.n; r++)
			fprintf(f, "%s\n", route_str(&set.list[r], text, sizeof(text)));
		route_set_clear(&set);
	}
}

static void print_sysctls(struct kernel *k, FILE *f)
{
	static const char *const keys[] = {
		"ipv4/ip_forward",
		"ipv4/conf/mesh0/forwarding",
		"ipv4/conf/mesh0/rp_filter",
		"ipv4/conf/lan0/forwarding",
		"ipv4/conf/lan0/rp_filter",
		"ipv6/conf/all/forwarding",
		"ipv6/conf/lan0/accept_ra",
	};

	for (size_t i = 0; i < COUNT(keys); i++) {
		int value;
		assert_int_equal(k->ops->sysctl_get(k, keys[i], &value), 0);
		fprintf(f, "%s %d\n", keys[i], value);
	}
}

static char *look(void)
{
	struct kernel *k = nullptr;
	struct nft_state nft = {};
	struct err err = {};
	char *text = nullptr;
	size_t len;

	assert_int_equal(kernel_linux_open(&k, &err), 0);
	FILE *f = open_memstream(&text, &len);
	assert_non_null(f);
	print_routes(k, f);
	print_sysctls(k, f);
	assert_int_equal(k->ops->nft_read(k, &nft, &err), 0);
	fprintf(f, "nft %d owned %d persistent %d digest %llx\n", nft.exists, nft.owned,
		nft.persistent, (unsigned long long)nft.digest);
	assert_int_equal(fclose(f), 0);
	k->ops->close(k);
	return text;
}

/* A request and its answer, each through the gateway. */
static void check_flow(const struct site *s, const char *from, const char *to)
{
	struct packet request = packet_new(from, to, IPPROTO_TCP, 40000, 3000), seen, got;

	packet_send(s->net->mesh_fd, &request);
	packet_expect(s->net->lan_fd, &request, &seen);
	struct packet answer = packet_reply(&seen), back = packet_reply(&request);
	packet_send(s->net->lan_fd, &answer);
	packet_expect(s->net->mesh_fd, &back, &got);
}

static void check_state(const struct site *s, enum state state)
{
	autofree char *now = look();

	assert_string_equal(now, s->states[state]);
	if (state == NOTHING)
		return;
	check_flow(s, "100.64.12.189", "10.0.1.50");
	check_flow(s, "2606:4700:cf1:5000::bd", "2001:db8:1::50");
}

/* ---- dying ---- */

static void prepare(struct site *s, const struct change *c)
{
	doomed_forget(&s->daemon);
	doomed_start(&s->daemon);
	for (size_t i = 0; i < COUNT(c->prepare) && c->prepare[i]; i++)
		doomed_ask(&s->daemon, c->prepare[i]);
	if (!c->request)
		doomed_kill(&s->daemon);
}

/* Which of the two states the next start makes of it. */
static enum state recover(struct site *s, const struct change *c)
{
	doomed_start(&s->daemon);
	autofree char *now = look();
	enum state state = strcmp(now, s->states[c->after]) == 0 ? c->after : c->before;
	check_state(s, state);
	doomed_ask(&s->daemon, DOWN);
	check_state(s, NOTHING);
	doomed_kill(&s->daemon);
	return state;
}

static unsigned die_everywhere(struct site *s, const struct change *c)
{
	unsigned nth = 1;

	prepare(s, c);
	assert_true(doomed_run(&s->daemon, c->request, nth));
	assert_int_equal(recover(s, c), c->before);
	for (bool hit = true; hit;) {
		prepare(s, c);
		hit = doomed_run(&s->daemon, c->request, ++nth);
		enum state state = recover(s, c);
		/* What was answered stays. */
		assert_true(hit || state == c->after);
	}
	return nth - 1;
}

static void test_dies(void **state)
{
	struct site *s = *state;

	for (size_t i = 0; i < COUNT(changes); i++) {
		unsigned n = die_everywhere(s, &changes[i]);
		print_message("%s: killed at %u system calls\n", changes[i].name, n);
		assert_true(n > 5);
	}
}

/* ---- fixture ---- */

static void learn_states(struct site *s)
{
	static const char *const requests[STATES] = {[IS_ONE] = APPLY_ONE, [IS_TWO] = APPLY_TWO};

	s->states[NOTHING] = look();
	for (enum state i = NOTHING + 1; i < STATES; i++) {
		doomed_start(&s->daemon);
		doomed_ask(&s->daemon, requests[i]);
		s->states[i] = look();
		assert_string_not_equal(s->states[i], s->states[i - 1]);
		check_state(s, i);
		doomed_ask(&s->daemon, DOWN);
		check_state(s, NOTHING);
		doomed_kill(&s->daemon);
		doomed_forget(&s->daemon);
	}
}

static void configure(struct netns *n)
{
	netns_address(n, RTM_NEWADDR, n->mesh, "100.96.0.18/32");
	netns_address(n, RTM_NEWADDR, n->mesh, "2606:4700:cf1:1000::18/128");
	netns_address(n, RTM_NEWADDR, n->lan, "10.0.1.11/24");
	netns_address(n, RTM_NEWADDR, n->lan, "2001:db8:1::11/64");
}

/* The tracer and its child take turns: on one CPU that is quick. */
static void stay_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)sched_getcpu(), &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
}

static int setup(void **state)
{
	static struct site s;
	void *net = nullptr;

	stay_on_one_cpu();
	assert_int_equal(netns_setup(&net), 0);
	s = (struct site){.net = net};
	configure(s.net);
	doomed_init(&s.daemon);
	learn_states(&s);
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	struct site *s = *state;
	void *net = s->net;

	doomed_clear(&s->daemon);
	netns_teardown(&net);
	for (size_t i = 0; i < STATES; i++)
		free(s->states[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_dies, setup, teardown),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
