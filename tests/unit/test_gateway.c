/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every write and every read of the reconciler fails, once and for good, in virtual time: nothing
 * but the times that gateway_pass() asks for moves the clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/objects.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "world.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A write that goes on failing is tried at 0, 0.1, 0.3, 0.7, 1.5, 3.1 … seconds. */
constexpr unsigned ATTEMPTS_A_MINUTE = 42;

static const int errors[] = {
	ENODEV, ENETDOWN, EEXIST, ESRCH, EPERM, EBUSY, ENOBUFS, EAGAIN, EINVAL, ENOENT};

/* ---- what a run without faults does ---- */

struct clean {
	char *up, *down; /* the kernel's state */
	char (*log)[DUMMY_WRITE_LEN];
	size_t n_up, n_down; /* writes; those of down behind those of up */
	unsigned reads;
};

static void take_down(struct world *w)
{
	gateway_enter(&w->gateway, GATEWAY_DOWN, nullptr);
}

static void clean_init(struct clean *c, const char *config)
{
	struct world w;

	world_init(&w, world_host);
	world_enter(&w, config);
	assert_int_equal(world_run(&w, WORLD_SECOND), 0);
	c->reads = w.kernel->reads.calls;
	c->n_up = w.kernel->n_log;
	c->up = world_text(&w);
	take_down(&w);
	assert_int_equal(world_run(&w, WORLD_SECOND), 0);
	c->down = world_text(&w);
	c->n_down = w.kernel->n_log - c->n_up;
	c->log = TAKE_PTR(w.kernel->log);
	w.kernel->n_log = w.kernel->cap_log = 0;
	world_clear(&w);
}

static void clean_clear(struct clean *c)
{
	free(c->up);
	free(c->down);
	free(c->log);
}

static unsigned attempts(const struct world *w, const char *write)
{
	unsigned n = 0;
	for (size_t i = 0; i < w->kernel->n_log; i++)
		n += !strcmp(w->kernel->log[i], write);
	return n;
}

#define assert_state(w, expected)                       \
	do {                                            \
		autofree char *_have = world_text(w);   \
		assert_string_equal(_have, (expected)); \
	} while (0)

static void test_clean(void **)
{
	static const char *const up[] = {
		"nft_replace meshgw",
		"sysctl_set ipv4/conf/CloudflareWARP/forwarding",
		"sysctl_set ipv4/conf/eth0/forwarding",
		"sysctl_set ipv6/conf/all/forwarding",
		"route_add 100.64.0.0/12",
		"route_add 100.96.0.0/12",
		"route_add 2606:4700:cf1:1000::/64",
		"route_add 2606:4700:cf1:5000::/64",
	};
	struct clean c;
	struct world w;

	clean_init(&c, world_masquerade);
	assert_int_equal(c.n_up, COUNT(up));
	assert_int_equal(c.n_down, COUNT(up));
	for (size_t i = 0; i < COUNT(up); i++)
		assert_string_equal(c.log[i], up[i]);
	assert_string_equal(c.log[2 * COUNT(up) - 1], "nft_remove meshgw"); /* first in, last out */

	world_init(&w, world_host);
	assert_state(&w, c.down);
	world_clear(&w);
	clean_clear(&c);
}

/* Nothing to do means that nothing is written, whatever is marked. */
static void test_settled(void **)
{
	struct world w;

	world_init(&w, world_host);
	world_enter(&w, world_masquerade);
	assert_int_equal(world_run(&w, WORLD_SECOND), 0);
	unsigned writes = w.kernel->writes.calls;
	gateway_mark(&w.gateway, DIRTY_ALL);
	assert_int_equal(world_run(&w, WORLD_SECOND), 0);
	assert_int_equal(w.kernel->writes.calls, writes);
	assert_int_equal(w.gateway.repairs, 0);
	assert_int_equal(w.kernel->conntrack_calls, 1);
	world_clear(&w);
}

/* A change of the configuration is written, also where only the table differs; and not when there
 * is no difference. */
static void test_change(void **)
{
	struct clean masquerade, allow;
	struct world w;

	clean_init(&masquerade, world_masquerade);
	clean_init(&allow, world_allow);
	world_init(&w, world_host);
	world_enter(&w, world_masquerade);
	assert_int_equal(world_run(&w, WORLD_SECOND), 0);
	world_enter(&w, world_allow);
	assert_int_equal(world_run(&w, WORLD_SECOND), 0);
	assert_state(&w, allow.up);
	assert_int_equal(attempts(&w, "nft_replace meshgw"), 2);
	world_enter(&w, world_allow);
	assert_int_equal(world_run(&w, WORLD_SECOND), 0);
	assert_int_equal(attempts(&w, "nft_replace meshgw"), 2);
	world_clear(&w);
	clean_clear(&masquerade);
	clean_clear(&allow);
}

/* ---- a write fails once ---- */

static void fail_once(const struct clean *c, unsigned write, int error)
{
	struct world w;

	world_init(&w, world_host);
	dummy_fail(&w.kernel->writes, write, 1, error);
	world_enter(&w, world_masquerade);
	assert_int_equal(world_run(&w, 2 * WORLD_SECOND), 0);
	assert_int_equal(w.kernel->writes.times, 0); /* it did fail */
	assert_state(&w, c->up);
	take_down(&w);
	assert_int_equal(world_run(&w, 2 * WORLD_SECOND), 0);
	assert_state(&w, c->down);
	assert_int_equal(w.gateway.records.n, 0);
	world_clear(&w);
}

static void fail_once_down(const struct clean *c, unsigned write, int error)
{
	struct world w;

	world_init(&w, world_host);
	world_enter(&w, world_masquerade);
	assert_int_equal(world_run(&w, WORLD_SECOND), 0);
	dummy_fail(&w.kernel->writes, write, 1, error);
	take_down(&w);
	assert_int_equal(world_run(&w, 2 * WORLD_SECOND), 0);
	assert_state(&w, c->down);
	assert_int_equal(w.gateway.records.n, 0);
	assert_null(gateway_failure(&w.gateway));
	world_clear(&w);
}

static void test_every_write_fails_once(void **)
{
	struct clean c;

	clean_init(&c, world_masquerade);
	for (size_t e = 0; e < COUNT(errors); e++) {
		for (unsigned i = 0; i < c.n_up; i++)
			fail_once(&c, i, errors[e]);
		for (unsigned i = 0; i < c.n_down; i++)
			fail_once_down(&c, i, errors[e]);
	}
	clean_clear(&c);
}

/* ---- everything fails from some write on, for a minute ---- */

/* Routes that do not carry our protocol number. */
static unsigned foreign_routes(const struct kernel_dummy *d)
{
	unsigned n = 0;
	for (size_t i = 0; i < d->routes.n; i++)
		n += d->routes.list[i].protocol != 107;
	return n;
}

static void fail_from(const struct clean *c, unsigned write, int error)
{
	struct world w;

	world_init(&w, world_host);
	unsigned foreign = foreign_routes(w.kernel);
	dummy_fail(&w.kernel->writes, write, UINT_MAX, error);
	world_enter(&w, world_masquerade);
	assert_int_not_equal(world_run(&w, 60 * WORLD_SECOND), 0);
	assert_in_range(w.kernel->writes.calls, 2, c->n_up * ATTEMPTS_A_MINUTE);
	assert_in_range(w.passes, 2, c->n_up * ATTEMPTS_A_MINUTE);
	assert_int_equal(foreign_routes(w.kernel), foreign);
	dummy_fail(&w.kernel->writes, 0, 0, 0);
	assert_int_equal(world_run(&w, 2 * WORLD_SECOND), 0);
	assert_state(&w, c->up);
	world_clear(&w);
}

static void fail_down_from(const struct clean *c, unsigned write, int error)
{
	struct world w;

	world_init(&w, world_host);
	world_enter(&w, world_masquerade);
	assert_int_equal(world_run(&w, WORLD_SECOND), 0);
	dummy_fail(&w.kernel->writes, write, UINT_MAX, error);
	take_down(&w);
	assert_int_not_equal(world_run(&w, 60 * WORLD_SECOND), 0);
	assert_non_null(gateway_failure(&w.gateway));
	assert_in_range(w.kernel->writes.calls, 2, (c->n_up + c->n_down) * ATTEMPTS_A_MINUTE);
	dummy_fail(&w.kernel->writes, 0, 0, 0);
	assert_int_equal(world_run(&w, 2 * WORLD_SECOND), 0);
	assert_state(&w, c->down);
	world_clear(&w);
}

static void test_every_write_fails_on(void **)
{
	struct clean c;

	clean_init(&c, world_masquerade);
	for (size_t e = 0; e < COUNT(errors); e++) {
		for (unsigned i = 0; i < c.n_up; i++)
			fail_from(&c, i, errors[e]);
		for (unsigned i = 0; i < c.n_down; i++)
			fail_down_from(&c, i, errors[e]);
	}
	clean_clear(&c);
}

/* ---- one object cannot be written ---- */

/* The objects that are not installed; *bad is one of them. */
static unsigned objects_missing(const struct world *w, struct object *bad)
{
	struct objects all = {};
	unsigned n = 0;

	objects_collect(&w->gateway, &all);
	for (size_t i = 0; i < all.n; i++)
		if (all.list[i].state != OBJECT_INSTALLED) {
			*bad = all.list[i];
			n++;
		}
	objects_clear(&all);
	return n;
}

static enum condition_code code_of(const struct object *o, int error)
{
	if (error == EPERM && o->kind != OP_ROUTE)
		return COND_CAPABILITY_MISSING;
	if (error == EBUSY && o->kind == OP_NFT)
		return COND_NFT_TABLE_TAKEN;
	if (o->kind == OP_NFT)
		return error == ENOENT ? COND_KERNEL_FEATURE_MISSING : COND_NFT_TABLE_MISSING;
	return o->kind == OP_ROUTE ? COND_RETURN_ROUTE_MISSING : COND_FORWARDING_DISABLED;
}

static void stick(const struct clean *c, const char *write, int error)
{
	struct world w;
	struct object bad = {};

	world_init(&w, world_host);
	dummy_stick(w.kernel, write, error);
	world_enter(&w, world_masquerade);
	assert_int_not_equal(world_run(&w, 60 * WORLD_SECOND), 0);

	/* The others are in place, each written once; this one says why it is not. */
	assert_int_equal(objects_missing(&w, &bad), 1);
	assert_int_equal(bad.state, OBJECT_FAILED);
	assert_non_null(strstr(bad.reason, strerror(error)));
	assert_true(world_condition(&w, code_of(&bad, error), bad.name));
	assert_in_range(attempts(&w, write), 5, ATTEMPTS_A_MINUTE);
	for (size_t i = 0; i < c->n_up; i++)
		if (strcmp(c->log[i], write) != 0)
			assert_int_equal(attempts(&w, c->log[i]), 1);

	dummy_stick(w.kernel, nullptr, 0);
	assert_int_equal(world_run(&w, 2 * WORLD_SECOND), 0);
	assert_state(&w, c->up);
	assert_int_equal(objects_missing(&w, &bad), 0);
	assert_false(world_condition(&w, code_of(&bad, error), nullptr));
	world_clear(&w);
}

static void test_every_object_stuck(void **)
{
	struct clean c;

	clean_init(&c, world_masquerade);
	for (size_t e = 0; e < COUNT(errors); e++)
		for (unsigned i = 0; i < c.n_up; i++)
			stick(&c, c.log[i], errors[e]);
	clean_clear(&c);
}

/* ---- reads ---- */

/* An interrupted dump says nothing: nothing is concluded from it, and it is asked for again. */
static void test_every_read_fails_once(void **)
{
	struct clean c;

	clean_init(&c, world_masquerade);
	for (unsigned i = 0; i < c.reads; i++) {
		struct world w;
		world_init(&w, world_host);
		dummy_fail(&w.kernel->reads, i, 1, EAGAIN);
		world_enter(&w, world_masquerade);
		assert_int_equal(world_run(&w, 2 * WORLD_SECOND), 0);
		assert_state(&w, c.up);
		/* Half blind in a settled world: still nothing to write. */
		unsigned writes = w.kernel->writes.calls;
		dummy_fail(&w.kernel->reads, i, 1, EAGAIN);
		gateway_mark(&w.gateway, DIRTY_ALL);
		assert_int_equal(world_run(&w, 2 * WORLD_SECOND), 0);
		assert_int_equal(w.kernel->writes.calls, writes);
		dummy_fail(&w.kernel->reads, i, 1, EAGAIN);
		take_down(&w);
		assert_int_equal(world_run(&w, 2 * WORLD_SECOND), 0);
		assert_state(&w, c.down);
		world_clear(&w);
	}
	clean_clear(&c);
}

static void test_reads_fail_on(void **)
{
	struct clean c;
	struct world w;

	clean_init(&c, world_masquerade);
	world_init(&w, world_host);
	dummy_fail(&w.kernel->reads, 0, UINT_MAX, EAGAIN);
	world_enter(&w, world_masquerade);
	assert_int_not_equal(world_run(&w, 60 * WORLD_SECOND), 0);
	assert_int_equal(w.kernel->writes.calls, 0);
	assert_in_range(w.passes, 5, ATTEMPTS_A_MINUTE);
	assert_true(world_condition(&w, COND_OBSERVER_LIMITED, nullptr));
	dummy_fail(&w.kernel->reads, 0, 0, 0);
	assert_int_equal(world_run(&w, 2 * WORLD_SECOND), 0);
	assert_state(&w, c.up);
	assert_false(world_condition(&w, COND_OBSERVER_LIMITED, nullptr));
	world_clear(&w);
	clean_clear(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_settled),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_every_write_fails_once),
		cmocka_unit_test(test_every_write_fails_on),
		cmocka_unit_test(test_every_object_stuck),
		cmocka_unit_test(test_every_read_fails_once),
		cmocka_unit_test(test_reads_fail_on),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
