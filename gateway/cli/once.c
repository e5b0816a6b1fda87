/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/once.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

constexpr size_t OUTPUT_MAX = 16 * 1024 * 1024; /* as much as sd-varlink takes from a socket */

const char *once_program(void)
{
	const char *program = getenv("MESHGWD");

	return program ? program : MESHGW_SBINDIR "/meshgwd";
}

/* ---- Deadline ---- */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1'000'000;
}

/* 1 when fd is readable, 0 at the deadline. */
static int wait_readable(int fd, int64_t deadline_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (;;) {
		int64_t left = deadline_ms - now_ms();
		int r = poll(&p, 1, left > 0 ? (int)left : 0);
		if (r >= 0 || errno != EINTR)
			return r < 0 ? -errno : r;
	}
}

/* ---- The child ---- */

/* A file that holds the configuration, at its beginning. */
static int content_file(const struct once *once)
{
	autoclose int fd = memfd_create("meshgw.yaml", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < once->content_len;) {
		ssize_t n = write(fd, once->content + done, once->content_len - done);
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return fd_take(&fd);
}

static int open_input(const struct once *once)
{
	if (once->content)
		return content_file(once);
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The child reads the configuration as /dev/stdin: what was checked here is what is used there,
 * also where the child becomes a user who may not read the file. */
static void make_argv(const struct once *once, const char *argv[static 8])
{
	const char *dir = getenv("MESHGW_RUNTIME_DIR");
	size_t n = 0;

	argv[n++] = once_program();
	if (dir) {
		argv[n++] = "--runtime-dir";
		argv[n++] = dir;
	}
	argv[n++] = "--once";
	for (size_t i = 0; i < 2 && once->verb[i]; i++)
		argv[n++] = once->verb[i];
	if (once->content)
		argv[n++] = "/dev/stdin";
	argv[n] = nullptr;
}

static int spawn(const struct once *once, int in, int out, pid_t *pid)
{
	const char *argv[8];
	posix_spawn_file_actions_t actions;
	int r;

	make_argv(once, argv);
	if ((r = posix_spawn_file_actions_init(&actions)) != 0)
		return -r;
	if ((r = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO)) == 0 &&
		(r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO)) == 0)
		r = posix_spawn(
			pid, argv[0], &actions, nullptr, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Everything that the child prints until it closes its standard output. */
static int read_output(int fd, int64_t deadline_ms, char **text)
{
	autofree char *buffer = nullptr;
	size_t used = 0, size = 0;

	for (;;) {
		if (used + 1 >= size)
			buffer = xreallocarray(buffer, size = size ? 2 * size : 4096, 1);
		if (size > OUTPUT_MAX)
			return -EMSGSIZE;
		int r = wait_readable(fd, deadline_ms);
		if (r <= 0)
			return r < 0 ? r : -ETIME;
		ssize_t n = read(fd, buffer + used, size - used - 1);
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	buffer[used] = '\0';
	*text = TAKE_PTR(buffer);
	return 0;
}

/* Reaps the child, which it kills at the deadline; true when it had to. *code is its exit status,
 * as a shell would show it. */
static bool reap(pid_t pid, int64_t deadline_ms, int *code)
{
	autoclose int pidfd = pidfd_open(pid, 0);
	siginfo_t info = {};
	bool late = pidfd < 0 || wait_readable(pidfd, deadline_ms) <= 0;

	if (late)
		kill(pid, SIGKILL);
	while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0 && errno == EINTR)
		;
	*code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	return late;
}

static int run(const struct once *once, char **text, int *code)
{
	autoclose int in = open_input(once);
	if (in < 0)
		return in;
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	autoclose int out = ends[0];
	pid_t pid = 0;
	int r = spawn(once, in, ends[1], &pid);
	close(ends[1]);
	if (r < 0)
		return r;
	int64_t deadline_ms = now_ms() + (int64_t)(once->timeout_us / 1000);
	r = read_output(out, deadline_ms, text);
	bool late = reap(pid, r < 0 ? 0 : deadline_ms, code);
	return r == 0 && late ? -ETIME : r;
}

/* ---- Its answer ---- */

static enum exit_status fail_run(int r, struct failure *f)
{
	if (r == -ETIME)
		return failure_set(
			f, EXIT_TIMEOUT, "%s --once did not end in time", once_program());
	if (r == -EMSGSIZE)
		return failure_set(f, EXIT_PROTOCOL, "%s --once talks too much", once_program());
	return failure_set(f, EXIT_UNREACHABLE, "meshgwd is not running, and %s cannot be run: %s",
		once_program(), strerror(-r));
}

static enum exit_status take_answer(
	const char *text, int code, sd_json_variant **reply, struct failure *f)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *answer = nullptr;

	if (sd_json_parse(text, 0, &answer, nullptr, nullptr) < 0 ||
		!sd_json_variant_is_object(answer))
		return failure_set(f, code ? EXIT_REFUSED : EXIT_PROTOCOL,
			"%s --once gives no valid answer (exit status %d)", once_program(), code);
	sd_json_variant *error = sd_json_variant_by_key(answer, "error");
	if (error && sd_json_variant_is_string(error))
		return failure_from_error(f, sd_json_variant_string(error),
			sd_json_variant_by_key(answer, "parameters"));
	*reply = TAKE_PTR(answer);
	return EXIT_DONE;
}

enum exit_status once_run(
	const struct once *once, sd_json_variant **reply, bool *busy, struct failure *f)
{
	autofree char *text = nullptr;
	int code = 0;

	*busy = false;
	int r = run(once, &text, &code);
	if (r < 0)
		return fail_run(r, f);
	if (code == EX_TEMPFAIL) {
		*busy = true;
		return failure_set(f, EXIT_CONFLICT, "meshgwd is running again");
	}
	return take_answer(text, code, reply, f);
}
