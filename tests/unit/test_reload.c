/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a configuration: windows, undo, down, the file in /etc, and starts in between. The
 * faults are in test_reload_faults.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/log.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "world.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- commands, as the server calls them ---- */

static int apply(struct world *w, const char *text, unsigned window_s)
{
	int r = world_apply(w, text, window_s);

	world_run(w, 0);
	return r;
}

static int confirm(struct world *w)
{
	struct err err = {};
	return reload_confirm(&w->reload, &err);
}

/* The loop's tick, once a second. */
static void tick(struct world *w, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		world_run(w, WORLD_SECOND);
		reload_tick(&w->reload, w->now_us, w->now_us);
	}
	world_run(w, 0);
}

static void restart(struct world *w)
{
	world_restart(w);
	world_run(w, WORLD_SECOND);
}

static void write_etc(struct world *w, const char *text)
{
	char temporary[96];
	snprintf(temporary, sizeof(temporary), "%s.new", w->etc);
	autofclose FILE *f = fopen(temporary, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(rename(temporary, w->etc), 0);
}

/* nullptr: nothing of ours is in the kernel. */
static void check_runs(struct world *w, const char *text)
{
	struct world clean;

	world_init(&clean, world_host);
	if (text) {
		world_enter(&clean, text);
		world_run(&clean, WORLD_SECOND);
	}
	autofree char *expected = world_text(&clean), *have = world_text(w);
	world_clear(&clean);
	assert_string_equal(have, expected);
	if (text) {
		assert_non_null(w->reload.running);
		assert_string_equal(w->reload.running_text, text);
		assert_int_equal(w->gateway.phase, GATEWAY_UP);
	} else {
		assert_null(w->reload.running);
	}
}

/* ---- apply, confirm, undo ---- */

static void test_apply(void **state)
{
	struct world *w = *state;

	restart(w);
	assert_int_equal(w->gateway.phase, GATEWAY_UNCONFIGURED);
	assert_true(world_condition(w, COND_UNCONFIGURED, nullptr));
	assert_int_equal(w->kernel->writes.calls, 0);
	assert_int_equal(apply(w, world_masquerade, 0), 0);
	check_runs(w, world_masquerade);
	assert_false(world_condition(w, COND_UNCONFIGURED, nullptr));
	assert_int_equal(confirm(w), -ENOENT);
	assert_int_equal(apply(w, world_route, 0), 0);
	check_runs(w, world_route);
	restart(w);
	check_runs(w, world_route);
}

static void test_apply_invalid(void **state)
{
	static const char *const texts[] = {"", "lan: 1\n", "\xff\xfe", "lan: [\n", "%s%n"};
	struct world *w = *state;

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	unsigned writes = w->kernel->writes.calls;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_int_equal(apply(w, texts[i], 0), -EINVAL);
	assert_int_equal(w->kernel->writes.calls, writes);
	check_runs(w, world_masquerade);
	restart(w);
	check_runs(w, world_masquerade);
}

static void test_too_large(void **state)
{
	struct world *w = *state;
	autofree char *text = xcalloc(CONFIG_MAX_BYTES + 2, 1);

	memset(text, '#', CONFIG_MAX_BYTES + 1);
	assert_int_equal(apply(w, text, 0), -EFBIG);
	assert_int_equal(w->kernel->writes.calls, 0);
}

static void test_confirm(void **state)
{
	struct world *w = *state;

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	assert_int_equal(apply(w, world_route, 60), 0);
	check_runs(w, world_route);
	assert_true(world_condition(w, COND_CONFIRM_PENDING, nullptr));
	tick(w, 59);
	assert_int_equal(reload_remaining(&w->reload, w->now_us), 1);
	assert_int_equal(confirm(w), 0);
	assert_int_equal(reload_remaining(&w->reload, w->now_us), 0);
	assert_false(world_condition(w, COND_CONFIRM_PENDING, nullptr));
	tick(w, 120);
	check_runs(w, world_route);
	restart(w);
	check_runs(w, world_route);
	assert_int_equal(world_undo(w), 0);
	check_runs(w, world_masquerade);
}

static void test_window_over(void **state)
{
	struct world *w = *state;

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	assert_int_equal(apply(w, world_route, 60), 0);
	assert_int_equal(reload_remaining(&w->reload, w->now_us), 60);
	assert_int_equal(reload_remaining(&w->reload, w->now_us + 1), 60);
	tick(w, 60);
	check_runs(w, world_masquerade);
	assert_true(world_condition(w, COND_ROLLED_BACK, nullptr));
	assert_int_equal(confirm(w), -ENOENT);
	restart(w);
	check_runs(w, world_masquerade);
	assert_true(world_condition(w, COND_ROLLED_BACK, nullptr));
	assert_int_equal(apply(w, world_route, 0), 0);
	assert_false(world_condition(w, COND_ROLLED_BACK, nullptr));
}

/* The machine slept through the window: it is over at the first tick. */
static void test_window_asleep(void **state)
{
	struct world *w = *state;

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	assert_int_equal(apply(w, world_route, 60), 0);
	reload_tick(&w->reload, w->now_us + WORLD_SECOND, w->now_us + 3600 * WORLD_SECOND);
	check_runs(w, world_masquerade);
}

static void test_window_crash(void **state)
{
	struct world *w = *state;

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	assert_int_equal(apply(w, world_route, 60), 0);
	check_runs(w, world_route);
	restart(w);
	check_runs(w, world_masquerade);
	assert_true(world_condition(w, COND_ROLLED_BACK, nullptr));
	assert_int_equal(confirm(w), -ENOENT);
}

/* The very first configuration: nothing to return to means nothing. */
static void test_first_window(void **state)
{
	struct world *w = *state;

	restart(w);
	assert_int_equal(apply(w, world_route, 60), 0);
	tick(w, 60);
	check_runs(w, nullptr);
	assert_int_equal(w->gateway.phase, GATEWAY_UNCONFIGURED);

	write_etc(w, world_masquerade); /* the file is the one that nobody confirmed */
	assert_int_equal(apply(w, world_masquerade, 60), 0);
	restart(w);
	check_runs(w, nullptr);
	assert_true(world_condition(w, COND_ROLLED_BACK, nullptr));
	assert_true(world_condition(w, COND_UNCONFIGURED, nullptr));
}

/* What nobody confirmed does not stand in the way of another file, however it was ended. */
static void test_another_file(void **state)
{
	struct world *w = *state;
	char same[1024];

	snprintf(same, sizeof(same), "# as it was\n%s", world_route);
	for (int undone = 0; undone < 2; undone++) {
		restart(w);
		assert_int_equal(apply(w, world_route, 2), 0);
		if (undone)
			assert_int_equal(world_undo(w), 0);
		tick(w, 2);
		assert_int_equal(world_condition(w, COND_ROLLED_BACK, nullptr), !undone);
		write_etc(w, same);
		restart(w);
		check_runs(w, nullptr);
		assert_int_equal(world_condition(w, COND_ROLLED_BACK, nullptr), !undone);
	}
	write_etc(w, world_masquerade);
	restart(w);
	check_runs(w, world_masquerade);
	assert_false(world_condition(w, COND_UNCONFIGURED, nullptr));
}

/* Who takes a change back has not missed its confirmation. */
static void test_undo_is_no_rollback(void **state)
{
	struct world *w = *state;

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	assert_int_equal(apply(w, world_route, 60), 0);
	assert_int_equal(world_undo(w), 0);
	check_runs(w, world_masquerade);
	assert_false(world_condition(w, COND_ROLLED_BACK, nullptr));
	restart(w);
	check_runs(w, world_masquerade);
	assert_false(world_condition(w, COND_ROLLED_BACK, nullptr));
}

static void test_one_at_a_time(void **state)
{
	struct world *w = *state;

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	assert_int_equal(apply(w, world_route, 60), 0);
	assert_int_equal(apply(w, world_allow, 0), -EBUSY);
	assert_int_equal(apply(w, world_allow, 60), -EBUSY);
	check_runs(w, world_route);
	assert_int_equal(world_undo(w), 0); /* of the pending one */
	check_runs(w, world_masquerade);
	assert_int_equal(apply(w, world_allow, 0), 0);
	check_runs(w, world_allow);
}

static void test_undo(void **state)
{
	struct world *w = *state;

	assert_int_equal(world_undo(w), -ENOENT);
	assert_int_equal(apply(w, world_masquerade, 0), 0);
	assert_int_equal(world_undo(w), -ENOENT);
	assert_int_equal(apply(w, world_route, 0), 0);
	assert_int_equal(apply(w, world_route, 0), 0); /* again, as configuration management does */
	assert_int_equal(world_undo(w), 0);
	check_runs(w, world_masquerade);
	assert_int_equal(world_undo(w), 0); /* and forth */
	check_runs(w, world_route);
}

/* ---- down ---- */

static void test_down(void **state)
{
	struct world *w = *state;

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	assert_int_equal(world_down(w), 0);
	check_runs(w, nullptr);
	assert_int_equal(w->gateway.records.n, 0);
	assert_true(world_condition(w, COND_TAKEN_DOWN, nullptr));
	assert_false(world_condition(w, COND_UNCONFIGURED, nullptr));
	restart(w);
	tick(w, 5);
	check_runs(w, nullptr);
	assert_true(world_condition(w, COND_TAKEN_DOWN, nullptr));
	assert_int_equal(world_down(w), 0); /* twice is no mistake */
	assert_int_equal(world_undo(w), 0);
	check_runs(w, world_masquerade);
	assert_false(world_condition(w, COND_TAKEN_DOWN, nullptr));
}

static void test_down_while_pending(void **state)
{
	struct world *w = *state;

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	assert_int_equal(apply(w, world_route, 60), 0);
	assert_int_equal(world_down(w), 0);
	check_runs(w, nullptr);
	tick(w, 70);
	check_runs(w, nullptr);
	assert_false(world_condition(w, COND_ROLLED_BACK, nullptr));
	restart(w);
	check_runs(w, nullptr);
}

/* Down and up again in a window that nobody confirms: down again. */
static void test_window_after_down(void **state)
{
	struct world *w = *state;

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	assert_int_equal(world_down(w), 0);
	assert_int_equal(apply(w, world_route, 60), 0);
	check_runs(w, world_route);
	tick(w, 60);
	check_runs(w, nullptr);
	assert_true(world_condition(w, COND_TAKEN_DOWN, nullptr));
	restart(w);
	check_runs(w, nullptr);
}

/* Sysctls go back to what they were, unless somebody else has set them meanwhile. */
static void test_down_sysctls(void **state)
{
	static const char mesh[] = "ipv4/conf/CloudflareWARP/forwarding";
	static const char lan[] = "ipv4/conf/eth0/forwarding";
	struct world *w = *state;

	dummy_sysctl(w->kernel, mesh, 1); /* as somebody wants it */
	assert_int_equal(apply(w, world_masquerade, 0), 0);
	restart(w);
	assert_int_equal(world_down(w), 0);
	assert_int_equal(dummy_sysctl_value(w->kernel, mesh), 1);
	assert_int_equal(dummy_sysctl_value(w->kernel, lan), 0);

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	dummy_sysctl(w->kernel, lan, 5);
	assert_int_equal(world_down(w), 0);
	assert_int_equal(dummy_sysctl_value(w->kernel, lan), 5);
	assert_int_equal(w->gateway.records.n, 0);
}

/* ---- starts ---- */

/* A crash leaves everything, and a start finds nothing to change but who owns the table. */
static void test_adopt(void **state)
{
	struct world *w = *state;

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	size_t before = w->kernel->n_log;
	restart(w);
	check_runs(w, world_masquerade);
	assert_int_equal(w->kernel->n_log, before + 1);
	assert_string_equal(w->kernel->log[before], "nft_replace meshgw");
	assert_int_equal(w->gateway.records.n, 3);
}

/* What a start finds of an older configuration goes. */
static void test_adopt_older(void **state)
{
	struct world *w = *state;

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	assert_int_equal(
		dummy_load(w->kernel, "route 100.112.0.0/16 dev 3 proto 107 metric 4261412864\n"
				      "route 100.80.0.0/16 dev 3 proto 107 metric 7\n"),
		0);
	restart(w);
	check_runs(w, world_masquerade);
}

/* A change gave a network to the site's routers, and the daemon dies before it is confirmed. What
 * the table says then is not what was proven. */
static void test_adopt_nothing_of_a_trial(void **state)
{
	static const char before[] = "lan:\n  - interface: eth0\n"
				     "    networks: [10.0.1.0/24, 10.0.2.0/24]\n"
				     "return_path: auto\n";
	static const char trial[] = "lan:\n  - interface: eth0\n    networks:\n"
				    "      - 10.0.1.0/24\n"
				    "      - {prefix: 10.0.2.0/24, return_path: route}\n"
				    "return_path: auto\n";
	struct world *w = *state;

	assert_int_equal(apply(w, before, 0), 0);
	assert_int_equal(apply(w, trial, 60), 0);
	restart(w);
	assert_int_equal(w->gateway.prove.n, 2);
	assert_false(w->gateway.prove.networks[0].route);
	assert_false(w->gateway.prove.networks[1].route);
	check_runs(w, before);
}

static void test_start_from_file(void **state)
{
	struct world *w = *state;

	write_etc(w, world_masquerade);
	restart(w);
	check_runs(w, world_masquerade);
	write_etc(w, world_route); /* counts by apply or reload only */
	restart(w);
	check_runs(w, world_masquerade);
	tick(w, 1);
	assert_true(world_condition(w, COND_CONFIG_NOT_APPLIED, w->etc));
	reload_file(&w->reload, w->now_us, w->now_us);
	check_runs(w, world_route);
	tick(w, 1);
	assert_false(world_condition(w, COND_CONFIG_NOT_APPLIED, nullptr));
}

static void test_start_from_bad_file(void **state)
{
	struct world *w = *state;

	write_etc(w, "lan: [");
	restart(w);
	assert_int_equal(w->gateway.phase, GATEWAY_UNCONFIGURED);
	assert_true(world_condition(w, COND_CONFIG_INVALID, w->etc));
	assert_true(world_condition(w, COND_UNCONFIGURED, nullptr));
	assert_int_equal(w->kernel->writes.calls, 0);
}

static void test_reload_bad_file(void **state)
{
	struct world *w = *state;

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	write_etc(w, "lan: [");
	unsigned writes = w->kernel->writes.calls;
	reload_file(&w->reload, w->now_us, w->now_us);
	tick(w, 1);
	assert_int_equal(w->kernel->writes.calls, writes);
	assert_true(world_condition(w, COND_CONFIG_INVALID, w->etc));
	check_runs(w, world_masquerade);
	write_etc(w, world_masquerade);
	tick(w, 1);
	assert_false(world_condition(w, COND_CONFIG_INVALID, nullptr));
}

static void reload(struct world *w)
{
	reload_file(&w->reload, w->now_us, w->now_us);
}

/* Why a file that is there cannot be read stays in sight, until it can. */
static void test_unreadable_file(void **state)
{
	struct world *w = *state;

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	write_etc(w, "lan: [");
	tick(w, 1);
	assert_true(world_condition(w, COND_CONFIG_INVALID, w->etc));
	assert_int_equal(truncate(w->etc, 1 << 30), 0); /* whose mistakes nobody reads */
	reload(w);
	for (int i = 0; i < 2; i++) {
		assert_true(world_condition(w, COND_CONFIG_UNREADABLE, w->etc));
		assert_non_null(strstr(w->reload.file_problem, "cannot be read: "));
		assert_non_null(strstr(w->reload.file_problem, "has 1073741824 bytes"));
		tick(w, 1);
	}
	check_runs(w, world_masquerade);
	write_etc(w, world_route);
	tick(w, 1);
	assert_false(world_condition(w, COND_CONFIG_UNREADABLE, nullptr));
	assert_true(world_condition(w, COND_CONFIG_NOT_APPLIED, w->etc));
	reload(w);
	check_runs(w, world_route);
}

/* Not root, for whom every file can be read: what the path leads over changes. */
static void test_unreadable_path(void **state)
{
	struct world *w = *state;
	char target[96];

	snprintf(target, sizeof(target), "%s/target", w->dir);
	assert_int_equal(symlink(w->etc, target), 0);
	assert_int_equal(symlink(target, w->etc), 0); /* ELOOP */
	restart(w);
	assert_int_equal(w->gateway.phase, GATEWAY_UNCONFIGURED);
	assert_true(world_condition(w, COND_CONFIG_UNREADABLE, w->etc));
	assert_int_equal(unlink(target), 0);
	tick(w, 1);
	assert_false(world_condition(w, COND_CONFIG_UNREADABLE, nullptr));
	assert_int_equal(unlink(w->etc), 0);
	write_etc(w, world_route);
	reload(w);
	check_runs(w, world_route);
}

/* What a reload writes into the journal: first what is wrong, then that it is refused. */
static void test_reload_log(void **state)
{
	static const char *const texts[] = {"a: b: c", "lan: 5"};
	struct world *w = *state;

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	for (size_t i = 0; i < COUNT(texts); i++) {
		static char text[4096];
		autoclose int log = memfd_create("log", MFD_CLOEXEC), before = dup(2);
		assert_int_equal(dup2(log, 2), 2);
		log_set_level(LOG_ERR);
		write_etc(w, texts[i]);
		reload(w);
		log_set_level(LOG_CRIT);
		assert_int_equal(dup2(before, 2), 2);
		ssize_t n = pread(log, text, sizeof(text) - 1, 0);
		text[n > 0 ? n : 0] = '\0';
		const char *mistake = strstr(text, w->etc), *refused = strstr(text, "refused");
		assert_true(mistake && refused && mistake < refused);
		assert_null(strstr(text, ": :"));
		assert_null(strstr(refused, w->etc)); /* nothing is said twice */
	}
}

static void test_missing_file(void **state)
{
	struct world *w = *state;

	write_etc(w, world_masquerade);
	restart(w);
	tick(w, 1);
	assert_false(world_condition(w, COND_CONFIG_MISSING, nullptr));
	assert_int_equal(unlink(w->etc), 0);
	reload(w);
	assert_true(world_condition(w, COND_CONFIG_MISSING, w->etc));
	check_runs(w, world_masquerade);
	assert_int_equal(world_down(w), 0);
	tick(w, 1);
	assert_false(world_condition(w, COND_CONFIG_MISSING, nullptr));
}

/* What is on the disk cannot be read as a configuration any more: touch nothing. */
static void test_start_from_bad_store(void **state)
{
	struct world *w = *state;
	struct err err = {};

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	autofree char *before = world_text(w);
	assert_int_equal(store_write_config(w->store, STORE_CONFIRMED, "\0\0", 2, &err), 0);
	restart(w);
	autofree char *after = world_text(w);
	assert_string_equal(after, before);
	assert_int_equal(w->gateway.phase, GATEWAY_UNCONFIGURED);
	write_etc(w, world_route); /* which has nothing to do with it */
	tick(w, 1);
	assert_true(world_condition(w, COND_CONFIG_INVALID, "confirmed.yaml"));
	assert_int_equal(apply(w, world_route, 0), 0);
	assert_false(world_condition(w, COND_CONFIG_INVALID, nullptr));
}

/* The file is compared by what it says, whatever its date, and again after each change. */
static void test_file_differs(void **state)
{
	static const struct timespec past[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	struct world *w = *state;

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	write_etc(w, world_masquerade);
	tick(w, 1);
	assert_false(world_condition(w, COND_CONFIG_NOT_APPLIED, nullptr));
	write_etc(w, world_route);
	assert_int_equal(utimensat(AT_FDCWD, w->etc, past, 0), 0);
	tick(w, 1);
	assert_true(world_condition(w, COND_CONFIG_NOT_APPLIED, w->etc));
	assert_int_equal(apply(w, world_route, 60), 0);
	tick(w, 1);
	assert_false(world_condition(w, COND_CONFIG_NOT_APPLIED, nullptr));
	tick(w, 61); /* rolled back */
	assert_true(world_condition(w, COND_CONFIG_NOT_APPLIED, w->etc));
	assert_int_equal(world_down(w), 0);
	tick(w, 1);
	assert_false(world_condition(w, COND_CONFIG_NOT_APPLIED, nullptr));
	assert_int_equal(unlink(w->etc), 0);
	tick(w, 1);
	assert_false(world_condition(w, COND_CONFIG_NOT_APPLIED, nullptr));
}

/* Ranges that Cloudflare moved: the new routes come before the old ones go. */
static void test_ranges_move(void **state)
{
	static const char moved[] =
		"mesh:\n"
		"  ranges:\n"
		"    workers: [100.80.0.0/12, \"2606:4700:cf1:5000::/64\"]\n"
		"lan:\n"
		"  - {interface: eth0, networks: [10.0.1.0/24, \"2001:db8:1::/64\"]}\n"
		"return_path: masquerade\n";
	struct world *w = *state;

	assert_int_equal(apply(w, world_masquerade, 0), 0);
	size_t before = w->kernel->n_log;
	assert_int_equal(apply(w, moved, 0), 0);
	assert_int_equal(w->kernel->n_log, before + 3);
	assert_string_equal(w->kernel->log[before], "nft_replace meshgw");
	assert_string_equal(w->kernel->log[before + 1], "route_add 100.80.0.0/12");
	assert_string_equal(w->kernel->log[before + 2], "route_del 100.64.0.0/12");
	check_runs(w, moved);
}

/* Waits for its interface, and that is no failure. */
static void test_apply_without_tunnel(void **state)
{
	struct world *w = *state;

	dummy_unlink(w->kernel, WORLD_MESH);
	assert_int_equal(apply(w, world_masquerade, 0), 0);
	assert_true(world_condition(w, COND_TUNNEL_INTERFACE_MISSING, "CloudflareWARP"));
	assert_false(world_condition(w, COND_RETURN_ROUTE_MISSING, nullptr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_apply, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_apply_invalid, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_too_large, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_confirm, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_window_over, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_window_asleep, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_window_crash, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_first_window, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_another_file, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_undo_is_no_rollback, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_one_at_a_time, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_undo, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_down, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_down_while_pending, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_window_after_down, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_down_sysctls, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_adopt, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_adopt_older, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_adopt_nothing_of_a_trial, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_start_from_file, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_start_from_bad_file, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_reload_bad_file, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_unreadable_file, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_unreadable_path, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_reload_log, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_missing_file, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_start_from_bad_store, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_file_differs, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_ranges_move, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(
			test_apply_without_tunnel, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
