/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every step of an apply, a confirmation, an undo and a down goes wrong: the kernel refuses a
 * write, the disk refuses a system call, the daemon dies there. A step is a write to the kernel or
 * a system call of the store that changes the disk (they are wrapped by the linker). The clock is
 * wrapped as well: nothing in here asks for the time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/own.h"
#include "world.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

constexpr int DIED = 42;

static const int kernel_errors[] = {
	ENODEV, ENETDOWN, EEXIST, ESRCH, EPERM, EBUSY, ENOBUFS, EAGAIN, EINVAL, ENOENT};
static const int disk_errors[] = {ENOSPC, EROFS, EIO};

static const char host[] = "link 2 eth0 up mtu 1500\n"
			   "link 3 CloudflareWARP up mtu 1280\n"
			   "link 4 eth1 up mtu 1500\n"
			   "address 2 10.0.1.11/24\n"
			   "address 3 100.96.0.18/32\n"
			   "address 4 10.9.0.1/24\n"
			   "route 0.0.0.0/0 dev 2 proto 16 metric 100\n"
			   "route 10.0.1.0/24 dev 2 proto 2 metric 100\n"
			   "route 10.9.0.0/24 dev 4 proto 2 metric 100\n"
			   "route 100.64.0.0/10 dev 2 proto 4 metric 50\n";

static const char one[] = "mesh: {ranges: {devices: [], workers: [100.64.0.0/12]}}\n"
			  "lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n"
			  "return_path: masquerade\n";

/* Another table, one more sysctl, one route more and one less. */
static const char two[] = "mesh: {ranges: {devices: [100.96.0.0/12], workers: [100.80.0.0/12]}}\n"
			  "lan:\n"
			  "  - {interface: eth0, networks: [10.0.1.0/24]}\n"
			  "  - {interface: eth1, networks: [10.9.0.0/24]}\n"
			  "return_path: route\n";

/* ---- steps ---- */

static struct {
	unsigned steps; /* counted since arm() */
	unsigned at;    /* the disk's step with this number (from 1) fails … */
	unsigned times; /* … and those after it, this many in all */
	int error;
	unsigned die_at; /* the daemon dies before this step, of both kinds */
	const struct world *world;
	bool armed;
} steps;

static void die(void)
{
	char path[96];
	snprintf(path, sizeof(path), "%s/kernel", steps.world->dir);
	autofclose FILE *f = fopen(path, "we");
	if (f)
		dummy_print(steps.world->kernel, f);
	if (!f || fflush(f) != 0)
		_exit(1);
	_exit(DIED);
}

/* Does it fail? errno is set then. */
static bool disk_step(void)
{
	if (!steps.armed)
		return false;
	if (++steps.steps == steps.die_at)
		die();
	if (!steps.times || steps.steps < steps.at)
		return false;
	steps.times--;
	errno = steps.error;
	return true;
}

static void kernel_step(void)
{
	if (steps.die_at && steps.armed && ++steps.steps == steps.die_at)
		die();
}

int __real_openat(int dirfd, const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *data, size_t len);
int __real_fsync(int fd);
int __real_renameat(int olddir, const char *old, int newdir, const char *new);
int __real_linkat(int olddir, const char *old, int newdir, const char *new, int flags);
int __wrap_openat(int dirfd, const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_fsync(int fd);
int __wrap_renameat(int olddir, const char *old, int newdir, const char *new);
int __wrap_linkat(int olddir, const char *old, int newdir, const char *new, int flags);

int __wrap_openat(int dirfd, const char *path, int flags, ...)
{
	return flags & O_CREAT && disk_step() ? -1 : __real_openat(dirfd, path, flags, 0640);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	return fd != STDERR_FILENO && disk_step() ? -1 : __real_write(fd, data, len);
}

int __wrap_fsync(int fd)
{
	return disk_step() ? -1 : __real_fsync(fd);
}

int __wrap_renameat(int olddir, const char *old, int newdir, const char *new)
{
	return disk_step() ? -1 : __real_renameat(olddir, old, newdir, new);
}

int __wrap_linkat(int olddir, const char *old, int newdir, const char *new, int flags)
{
	return disk_step() ? -1 : __real_linkat(olddir, old, newdir, new, flags);
}

int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
time_t __wrap_time(time_t *out);
int __wrap_gettimeofday(struct timeval *tv, void *zone);

int __wrap_clock_gettime(clockid_t, struct timespec *)
{
	abort();
}

time_t __wrap_time(time_t *)
{
	abort();
}

int __wrap_gettimeofday(struct timeval *, void *)
{
	abort();
}

static void arm(const struct world *w)
{
	steps.steps = 0;
	steps.world = w;
	steps.armed = true;
	w->kernel->on_write = kernel_step;
}

static void disarm(void)
{
	steps = (typeof(steps)){};
}

/* ---- commands ---- */

static int apply_one(struct world *w)
{
	return world_apply(w, one, 0);
}

static int apply_two(struct world *w)
{
	return world_apply(w, two, 0);
}

static int apply_two_confirm(struct world *w)
{
	struct err err = {};
	int r = world_apply(w, two, 60);
	return r < 0 ? r : reload_confirm(&w->reload, &err);
}

static const struct change {
	const char *name;
	const char *first, *second; /* applied before, nullptr = nothing */
	bool taken_down;            /* after that */
	int (*run)(struct world *w);
	const char *before, *after; /* what runs, nullptr = nothing */
} changes[] = {
	{"first apply", nullptr, nullptr, false, apply_one, nullptr, one},
	{"apply", one, nullptr, false, apply_two, one, two},
	{"apply and confirm", one, nullptr, false, apply_two_confirm, one, two},
	{"apply after down", one, nullptr, true, apply_two, nullptr, two},
	{"undo", one, two, false, world_undo, two, one},
	{"undo of down", one, nullptr, true, world_undo, nullptr, one},
	{"down", one, nullptr, false, world_down, one, nullptr},
};

static void begin(struct world *w, const struct change *c)
{
	world_init(w, host);
	world_restart(w);
	if (c->first)
		assert_int_equal(world_apply(w, c->first, 0), 0);
	if (c->second)
		assert_int_equal(world_apply(w, c->second, 0), 0);
	if (c->taken_down)
		assert_int_equal(world_down(w), 0);
	assert_int_equal(world_run(w, WORLD_SECOND), 0);
}

/* What the kernel looks like when nothing went wrong; made once for each configuration. */
static const char *clean_text(const char *config)
{
	static struct {
		const char *config;
		char *text;
	} known[3];
	struct world w;

	size_t i = 0;
	while (known[i].text && known[i].config != config)
		i++;
	if (known[i].text)
		return known[i].text;
	world_init(&w, host);
	if (config) {
		world_enter(&w, config);
		assert_int_equal(world_run(&w, WORLD_SECOND), 0);
	}
	known[i].config = config;
	known[i].text = world_text(&w);
	world_clear(&w);
	return known[i].text;
}

static void check_runs(const struct world *w, const char *config)
{
	autofree char *have = world_text(w);

	assert_string_equal(have, clean_text(config));
	if (config) {
		assert_non_null(w->reload.running);
		assert_string_equal(w->reload.running_text, config);
	} else {
		assert_null(w->reload.running);
	}
}

/* Now, and for whoever starts next. */
static void check_stays(struct world *w, const char *config)
{
	check_runs(w, config);
	world_restart(w);
	assert_int_equal(world_run(w, 4 * WORLD_SECOND), 0);
	check_runs(w, config);
	assert_false(world_condition(w, COND_STATE_NOT_SAVED, nullptr));
	/* And all of it can be taken back. */
	assert_int_equal(world_down(w), 0);
	check_runs(w, nullptr);
	assert_int_equal(w->gateway.records.n, 0);
}

/* ---- the kernel refuses ---- */

static bool waits_for_interface(const struct world *w, unsigned write, int error)
{
	return (error == ENODEV || error == ENETDOWN) &&
	       !strncmp(w->kernel->log[write], "route", strlen("route"));
}

/* write: after those made so far. Returns false when there is no such write. */
static bool refuse_once(const struct change *c, unsigned write, int error)
{
	struct world w;

	begin(&w, c);
	unsigned first = (unsigned)w.kernel->n_log;
	dummy_fail(&w.kernel->writes, write, 1, error);
	int r = c->run(&w);
	bool failed = w.kernel->writes.times == 0;
	if (!failed)
		assert_int_equal(r, 0);
	/* Not everything that is refused once is a failure: a list that says so may agree, and
	 * interfaces are waited for. */
	if (r < 0)
		assert_int_equal(r, -error);
	else if (failed && c->run != world_down)
		assert_true(waits_for_interface(&w, first + write, error) || error == EEXIST ||
			    error == ESRCH);
	assert_int_equal(world_run(&w, 4 * WORLD_SECOND), 0);
	check_stays(&w, r < 0 && c->run != world_down ? c->before : c->after);
	world_clear(&w);
	return failed;
}

static void test_kernel_refuses_once(void **)
{
	for (size_t i = 0; i < COUNT(changes); i++)
		for (size_t e = 0; e < COUNT(kernel_errors); e++) {
			unsigned write = 0;
			while (refuse_once(&changes[i], write, kernel_errors[e]))
				write++;
			assert_true(write >= 4); /* table, sysctls, routes */
		}
}

/* From some write on for a minute, then no more: what was before comes back by itself. */
static bool refuse_on(const struct change *c, unsigned write, int error)
{
	struct world w;

	begin(&w, c);
	dummy_fail(&w.kernel->writes, write, UINT_MAX, error);
	int r = c->run(&w);
	bool failed = w.kernel->writes.times < UINT_MAX;
	assert_int_equal(r < 0, failed && r < 0);
	world_run(&w, 60 * WORLD_SECOND);
	dummy_fail(&w.kernel->writes, 0, 0, 0);
	assert_int_equal(world_run(&w, 2 * WORLD_SECOND), 0);
	check_stays(&w, r < 0 && c->run != world_down ? c->before : c->after);
	world_clear(&w);
	return failed;
}

static void test_kernel_refuses_on(void **)
{
	for (size_t i = 0; i < COUNT(changes); i++)
		for (size_t e = 0; e < COUNT(kernel_errors); e++)
			for (unsigned write = 0; refuse_on(&changes[i], write, kernel_errors[e]);)
				write++;
}

/* ---- dumps are interrupted ---- */

static bool interrupt(const struct change *c, unsigned read)
{
	struct world w;

	begin(&w, c);
	dummy_fail(&w.kernel->reads, read, 1, EAGAIN);
	int r = c->run(&w);
	bool failed = w.kernel->reads.times == 0;
	assert_int_equal(world_run(&w, 4 * WORLD_SECOND), 0);
	/* A down that cannot look has changed nothing, or goes on by itself. */
	bool before = c->run == world_down ? !w.reload.state.down : r < 0;
	check_stays(&w, before ? c->before : c->after);
	world_clear(&w);
	return failed;
}

static void test_dumps_interrupted(void **)
{
	for (size_t i = 0; i < COUNT(changes); i++) {
		unsigned read = 0;
		while (interrupt(&changes[i], read))
			read++;
		assert_true(read >= 8);
	}
}

/* ---- the disk refuses ---- */

static bool disk_refuses(const struct change *c, unsigned step, unsigned times, int error)
{
	struct world w;

	begin(&w, c);
	arm(&w);
	steps.at = step;
	steps.times = times;
	steps.error = error;
	int r = c->run(&w);
	bool failed = steps.times < times;
	if (times > 1)
		world_run(&w, 60 * WORLD_SECOND);
	disarm();
	assert_true(r >= 0 || failed);
	/* The disk is well again: what could not be saved is saved by the next tick. */
	reload_tick(&w.reload, w.now_us, w.now_us);
	world_run(&w, 2 * WORLD_SECOND);
	bool before = r < 0 && c->run != world_down;
	if (before && w.reload.deadline_us) { /* it could not be confirmed, and is still pending */
		reload_tick(&w.reload, w.reload.deadline_us, w.reload.deadline_us);
		world_run(&w, 0);
	}
	check_stays(&w, before ? c->before : c->after);
	world_clear(&w);
	return failed;
}

static void test_disk_refuses(void **)
{
	for (size_t i = 0; i < COUNT(changes); i++)
		for (size_t e = 0; e < COUNT(disk_errors); e++) {
			unsigned step = 1;
			while (disk_refuses(&changes[i], step, 1, disk_errors[e]))
				step++;
			assert_true(step > 4);
			for (step = 1; disk_refuses(&changes[i], step, UINT_MAX, disk_errors[e]);)
				step++;
		}
}

/* ---- the daemon dies ---- */

/* Returns false when it lived. */
static bool run_until(struct world *w, const struct change *c, unsigned step)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		arm(w);
		steps.die_at = step;
		int r = c->run(w);
		steps.die_at = 0;
		if (r < 0)
			_exit(1);
		steps.world = w;
		die(); /* after the answer */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), DIED);
	return true;
}

/* The kernel as the dead left it. */
static void take_over(struct world *w)
{
	char path[96];
	autofree char *text = nullptr;
	size_t len;
	struct err err = {};

	snprintf(path, sizeof(path), "%s/kernel", w->dir);
	assert_int_equal(config_read_file(path, &text, &len, &err), 0);
	struct kernel_dummy *fresh = dummy_new();
	assert_int_equal(dummy_load(fresh, text), 0);
	struct kernel_dummy *old = w->kernel;
	w->kernel = fresh;
	world_restart(w);
	old->base.ops->close(&old->base);
}

static const char *what_runs(const struct world *w)
{
	return w->reload.running ? w->reload.running_text : nullptr;
}

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : !a && !b;
}

/* Dies before each step in turn; the last time, after the answer. */
static void die_everywhere(const struct change *c, unsigned n_steps)
{
	bool is_new = false;

	for (unsigned step = 1; step <= n_steps + 1; step++) {
		struct world w;
		begin(&w, c);
		assert_true(run_until(&w, c, step));
		take_over(&w);
		assert_int_equal(world_run(&w, 4 * WORLD_SECOND), 0);
		/* One or the other, never a mixture, and never back again from a later step. */
		bool now_new = same(what_runs(&w), c->after);
		assert_true(now_new || same(what_runs(&w), c->before));
		assert_true(now_new || !is_new);
		is_new = now_new;
		check_stays(&w, is_new ? c->after : c->before);
		world_clear(&w);
	}
	assert_true(is_new);
}

static void test_dies(void **)
{
	for (size_t i = 0; i < COUNT(changes); i++) {
		struct world w;
		print_message("%s\n", changes[i].name);
		begin(&w, &changes[i]);
		arm(&w);
		steps.die_at = UINT_MAX;
		assert_int_equal(changes[i].run(&w), 0);
		unsigned n = steps.steps;
		disarm();
		world_clear(&w);
		assert_true(n > 8);
		die_everywhere(&changes[i], n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_refuses_once),
		cmocka_unit_test(test_kernel_refuses_on),
		cmocka_unit_test(test_dumps_interrupted),
		cmocka_unit_test(test_disk_refuses),
		cmocka_unit_test(test_dies),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
