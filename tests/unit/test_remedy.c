/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our rules in Tailscale's filter, through the life of the daemon: made where they are allowed and
 * needed, put back, kept over a restart, gone with the permission. How they look in a kernel:
 * test_nft_foreign.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/objects.h"
#include "rtevent.h"
#include "world.h"
#include <errno.h>
#include <linux/netfilter.h>
#include <string.h>

#define LAN "lan: [{interface: eth0, networks: [10.0.1.0/24]}]\nreturn_path: route\n"

static const char without[] = LAN;
static const char with[] = LAN "remedies: [tailscale-input]\n";
static const char name[] = "remedy tailscale-input ip";
static const char subject[] = "ip filter ts-input";

static void start(struct world *w, bool tailscale, const char *config)
{
	world_init(w, world_host);
	w->kernel->tailscale.present = tailscale;
	world_enter(w, config);
	world_run(w, WORLD_SECOND);
}

/* Somebody fills the chain anew. */
static void refill(struct world *w)
{
	struct nl_message m;

	w->kernel->tailscale = (struct dummy_tailscale){.present = true};
	gateway_event(&w->gateway, WATCH_NFT,
		rtevent_nft_rule(&m, NFPROTO_IPV4, NFT_FOREIGN_TABLE, NFT_FOREIGN_CHAIN));
}

static const struct object *find(const struct objects *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (!strcmp(all->list[i].name, name))
			return &all->list[i];
	return nullptr;
}

static enum object_state state_of(const struct world *w)
{
	struct objects all = {};

	objects_collect(&w->gateway, &all);
	const struct object *o = find(&all);
	assert_non_null(o);
	enum object_state state = o ? o->state : OBJECT_FAILED;
	objects_clear(&all);
	return state;
}

static void test_only_where_allowed(void **)
{
	struct world w;

	start(&w, true, without);
	assert_int_equal(w.kernel->tailscale.n_ours, 0);
	assert_true(world_condition(&w, COND_FILTER_DROP_INPUT, subject));
	world_enter(&w, with);
	world_run(&w, WORLD_SECOND);
	assert_int_equal(w.kernel->tailscale.n_ours, 2);
	assert_false(world_condition(&w, COND_FILTER_DROP_INPUT, nullptr));
	assert_int_equal(state_of(&w), OBJECT_INSTALLED);
	world_enter(&w, without);
	world_run(&w, WORLD_SECOND);
	assert_int_equal(w.kernel->tailscale.n_ours, 0);
	world_clear(&w);
}

/* Tailscale comes later, and goes. */
static void test_only_where_needed(void **)
{
	struct world w;
	struct objects all = {};
	struct nl_message m;

	start(&w, false, with);
	objects_collect(&w.gateway, &all);
	assert_null(find(&all));
	objects_clear(&all);
	refill(&w);
	world_run(&w, WORLD_SECOND);
	assert_int_equal(w.kernel->tailscale.n_ours, 2);
	assert_int_equal(w.gateway.repairs, 0);
	w.kernel->tailscale = (struct dummy_tailscale){};
	gateway_event(&w.gateway, WATCH_NFT,
		rtevent_nft_rule(&m, NFPROTO_IPV4, NFT_FOREIGN_TABLE, NFT_FOREIGN_CHAIN));
	world_run(&w, WORLD_SECOND);
	assert_false(world_condition(&w, COND_REMEDY_NOT_IN_PLACE, nullptr));
	assert_false(world_condition(&w, COND_FILTER_DROP_INPUT, nullptr));
	world_clear(&w);
}

static void test_put_back(void **)
{
	struct world w;

	start(&w, true, with);
	for (unsigned i = 1; i <= 3; i++) {
		refill(&w);
		gateway_pass(&w.gateway, w.now_us);
		assert_int_equal(w.kernel->tailscale.n_ours, 2);
		assert_int_equal(w.gateway.repairs, i);
	}
	world_clear(&w);
}

/* Nobody fights without end. */
static void test_contested(void **)
{
	struct world w;

	start(&w, true, with);
	for (unsigned i = 0; i < TRACK_FIGHT_REPAIRS; i++) {
		refill(&w);
		world_run(&w, WORLD_SECOND / 100);
	}
	assert_true(world_condition(&w, COND_STATE_CONTESTED, name));
	uint64_t repairs = w.gateway.repairs;
	refill(&w);
	world_run(&w, WORLD_SECOND / 100);
	assert_int_equal(w.gateway.repairs, repairs);
	assert_true(world_condition(&w, COND_FILTER_DROP_INPUT, subject));
	world_run(&w, 2 * TRACK_FIGHT_US);
	assert_int_equal(w.kernel->tailscale.n_ours, 2);
	assert_false(world_condition(&w, COND_STATE_CONTESTED, nullptr));
	world_clear(&w);
}

/* What the other's table refuses is shown, tried again, and no reason to take a change back. */
static void test_refused(void **)
{
	struct world w;

	start(&w, false, with);
	dummy_stick(w.kernel, "foreign_write ip", EBUSY);
	refill(&w);
	world_run(&w, WORLD_SECOND);
	assert_true(world_condition(&w, COND_REMEDY_NOT_IN_PLACE, name));
	assert_true(world_condition(&w, COND_FILTER_DROP_INPUT, subject));
	assert_int_equal(state_of(&w), OBJECT_FAILED);
	assert_null(gateway_failure(&w.gateway));
	dummy_stick(w.kernel, nullptr, 0);
	world_run(&w, 2 * WORLD_SECOND);
	assert_int_equal(state_of(&w), OBJECT_INSTALLED);
	assert_false(world_condition(&w, COND_REMEDY_NOT_IN_PLACE, nullptr));
	world_clear(&w);
}

/* A filter that cannot be read keeps nothing else from being looked after. */
static void test_unreadable(void **)
{
	static const int errors[] = {EOPNOTSUPP, EAGAIN};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct world w;

		world_init(&w, world_host);
		dummy_stick(w.kernel, "foreign", errors[i]);
		world_enter(&w, with);
		world_run(&w, WORLD_SECOND);
		assert_true(w.kernel->nft.exists);
		assert_int_equal(w.gateway.seen.ours.n, w.gateway.want.routes.n);
		assert_int_equal(
			world_condition(&w, COND_OBSERVER_LIMITED, nullptr), errors[i] == EAGAIN);
		world_clear(&w);
	}
}

static void test_restart_and_down(void **)
{
	struct world w;

	start(&w, true, with);
	size_t writes = w.kernel->n_log;
	world_restart(&w);
	world_enter(&w, with);
	world_run(&w, WORLD_SECOND);
	assert_int_equal(w.kernel->tailscale.n_ours, 2);
	for (size_t i = writes; i < w.kernel->n_log; i++)
		assert_string_not_equal(w.kernel->log[i], "foreign_write ip");
	/* Down knows no ranges any more. */
	world_restart(&w);
	gateway_enter(&w.gateway, GATEWAY_DOWN, nullptr);
	world_run(&w, WORLD_SECOND);
	assert_int_equal(w.kernel->tailscale.n_ours, 0);
	world_clear(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_where_allowed),
		cmocka_unit_test(test_only_where_needed),
		cmocka_unit_test(test_put_back),
		cmocka_unit_test(test_contested),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_restart_and_down),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
