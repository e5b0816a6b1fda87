/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child that stands for vtysh: ends, fails, hangs, floods, is missing; what it inherits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "frr/vtysh.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct vtysh_result run(const char *command, const char *script, uint64_t timeout_us)
{
	const char *arguments[] = {"-c", command, nullptr};
	struct vtysh_request q = {.program = "/bin/sh",
		.arguments = arguments,
		.script = script,
		.script_len = script ? strlen(script) : 0,
		.timeout_us = timeout_us};
	struct vtysh_result out;

	vtysh_run(&q, &out);
	return out;
}

static void test_what_it_says(void **)
{
	static const struct {
		const char *command, *script, *out, *err;
		int error, status;
	} cases[] = {
		{"cat", "one\ntwo\n", "one\ntwo\n", "", 0, 0},
		{"cat", nullptr, "", "", 0, 0},
		{"echo out; echo err >&2; exit 3", nullptr, "out\n", "err\n", 0, 3},
		{"kill -9 $$", nullptr, "", "", 0, 128 + SIGKILL},
		{"head -c 3000000 /dev/zero | tr '\\0' x | wc -c; exec >&- 2>&-; true", nullptr,
			"3000000\n", "", 0, 0},
		/* what it leaves behind ends with it and is not waited for */
		{"sleep 100 & echo done", nullptr, "done\n", "", 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vtysh_result r = run(cases[i].command, cases[i].script, 30'000'000);
		assert_int_equal(r.error, cases[i].error);
		assert_int_equal(r.status, cases[i].status);
		assert_string_equal(r.out, cases[i].out);
		assert_string_equal(r.err, cases[i].err);
		vtysh_result_clear(&r);
	}
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The grandchild has the pipes open as well. */
static void test_hangs(void **)
{
	double start = now();
	struct vtysh_result r = run("echo begun; sleep 100; echo never", nullptr, 300'000);

	assert_int_equal(r.error, ETIME);
	assert_int_equal(r.status, 128 + SIGKILL);
	assert_string_equal(r.out, "begun\n");
	assert_true(now() - start < 20);
	vtysh_result_clear(&r);
}

static void test_floods(void **)
{
	struct vtysh_result r = run("cat /dev/zero", nullptr, 60'000'000);

	assert_int_equal(r.error, EMSGSIZE);
	assert_true(r.n_out >= VTYSH_OUT_MAX && r.n_out <= 2 * VTYSH_OUT_MAX);
	vtysh_result_clear(&r);
}

static void test_missing(void **)
{
	struct vtysh_request q = {.program = "/nonexistent/vtysh", .timeout_us = 1'000'000};
	struct vtysh_result r;

	vtysh_run(&q, &r);
	assert_int_equal(r.error, ENOENT);
	assert_string_equal(r.out, "");
	vtysh_result_clear(&r);
}

/* No descriptor, no variable, no blocked signal, no argument of ours. */
static void test_inherits_nothing(void **)
{
	int stray = open(
		"/dev/null", O_RDONLY); /* NOLINT(android-cloexec-open): that is the point */
	sigset_t term, before;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &term, &before), 0);
	struct vtysh_result r = run("ls /proc/self/fd | grep -v 3; env | grep -c SECRET; "
				    "grep SigBlk /proc/self/status; tr '\\0' ' ' </proc/$$/cmdline "
				    "| grep -c password",
		"password hidden\n", 30'000'000);
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, nullptr), 0);
	/* 3 is the folder that ls reads */
	assert_string_equal(r.out, "0\n1\n2\n0\nSigBlk:\t0000000000000000\n1\n");
	close(stray);
	vtysh_result_clear(&r);
}

struct end {
	sd_event *event;
	unsigned calls;
};

static void on_done(void *arg, const struct vtysh_result *)
{
	struct end *e = arg;
	e->calls++;
}

static void test_cancel(void **)
{
	const char *arguments[] = {"-c", "sleep 100", nullptr};
	struct vtysh_request q = {
		.program = "/bin/sh", .arguments = arguments, .timeout_us = 60'000'000};
	struct end end = {};
	struct vtysh *v;
	struct err err = {};

	assert_int_equal(sd_event_new(&end.event), 0);
	assert_int_equal(vtysh_start(end.event, &q, on_done, &end, &v, &err), 0);
	vtysh_cancel(v);
	assert_int_equal(sd_event_run(end.event, 0), 0);
	assert_int_equal(end.calls, 0);
	sd_event_unref(end.event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_it_says),
		cmocka_unit_test(test_hangs),
		cmocka_unit_test(test_floods),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_inherits_nothing),
		cmocka_unit_test(test_cancel),
	};

	(void)setenv("SECRET", "1", 1);
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
