/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `meshgwd --once plan` says of a table that a daemon has left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/once.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "world.h"
#include <string.h>

static void apply(struct world *w, const char *text, unsigned window_s)
{
	assert_int_equal(world_apply(w, text, window_s), 0);
	world_run(w, 0);
}

/* The standard output of a plan of this text (nullptr: of what a start would apply), which
 * nothing but the state directory and the kernel can tell anything. */
static char *plan(struct world *w, const char *text)
{
	char *out = xcalloc(65536, 1);
	struct once_options options = {.etc_path = w->etc};
	char path[96];

	if (text) {
		snprintf(path, sizeof(path), "%s/plan.yaml", w->dir);
		autofclose FILE *f = fopen(path, "we");
		assert_non_null(f);
		assert_true(fputs(text, f) >= 0);
		options.config_path = path;
	}
	FILE *saved = stdout;
	stdout = fmemopen(out, 65535, "w");
	assert_int_equal(once_plan(&options, &w->kernel->base, w->store), 0);
	fclose(stdout);
	stdout = saved;
	return out;
}

static void check_plan(struct world *w, const char *text, const char *detail, const char *change)
{
	autofree char *got = plan(w, text);

	if (!strstr(got, detail) || (change && !strstr(got, change)))
		print_error("%s", got);
	assert_non_null(strstr(got, detail));
	if (change)
		assert_non_null(strstr(got, change));
	else
		assert_null(strstr(got, "\"changes\""));
}

#define DETAIL(text) "\"detail\":\"" text "\""

static void test_left(void **state)
{
	struct world *w = *state;

	apply(w, world_masquerade, 0);
	check_plan(w, nullptr, DETAIL("masquerade, everything allowed (taken over)"), nullptr);
	check_plan(w, world_masquerade, DETAIL("masquerade, everything allowed (taken over)"),
		nullptr);
	check_plan(w, world_allow,
		DETAIL("masquerade, everything allowed -> masquerade, 1 allow entry"),
		"{\"action\":\"add\",\"kind\":\"allow\",\"text\":"
		"\"workers to 10.0.1.50 tcp 3000\"}");
}

/* After a reboot. */
static void test_missing(void **state)
{
	struct world *w = *state;

	apply(w, world_masquerade, 0);
	w->kernel->nft = (struct nft_state){};
	check_plan(w, nullptr, DETAIL("masquerade, everything allowed (missing)"), nullptr);
}

/* A change waited for its confirmation: which of the two the table is for, nobody knows. */
static void test_interrupted(void **state)
{
	struct world *w = *state;

	apply(w, world_masquerade, 0);
	apply(w, world_allow, 60);
	check_plan(w, world_allow, DETAIL("masquerade, 1 allow entry (in place of what is there)"),
		"\"text\":\"workers to 10.0.1.50 tcp 3000\"");
}

static void test_down(void **state)
{
	struct world *w = *state;
	struct ops ops = {};
	struct err err = {};

	apply(w, world_masquerade, 0);
	assert_int_equal(reload_down(&w->reload, w->now_us, 1, &ops, &err), 0);
	assert_string_equal(ops.list[ops.n - 1].table, "masquerade, everything allowed");
	assert_int_equal(ops.changes.n, 0);
	ops_clear(&ops);
	check_plan(w, world_masquerade, DETAIL("masquerade, everything allowed"),
		"\"text\":\"everything from the ranges\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_left, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_missing, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_interrupted, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_down, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
