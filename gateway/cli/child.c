/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/child.h"
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
#include <time.h>
#include <unistd.h>

constexpr size_t OUTPUT_MAX = 16 * 1024 * 1024; /* as much as sd-varlink takes from a socket */

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

/* ---- Start ---- */

/* A file without a name that holds the text, and stands at its beginning. */
static int memory_file(const char *text, size_t len)
{
	autoclose int fd = memfd_create("meshgw", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, text + done, len - done);
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return fd_take(&fd);
}

/* fds: what become its standard input, output and error. */
static int spawn(const char *const *argv, const int fds[static 3], pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r != 0)
		return -r;
	for (int i = 0; r == 0 && i < 3; i++)
		r = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
	if (r == 0)
		r = posix_spawnp(
			pid, argv[0], &actions, nullptr, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* ---- Run ---- */

/* Everything that the child prints until it closes its standard output, or as much as may be. */
static int read_output(int fd, int64_t deadline_ms, size_t max, struct child_result *out)
{
	size_t limit = max ? max : OUTPUT_MAX;
	autofree char *buffer = nullptr;
	size_t used = 0, size = 0;

	for (;;) {
		if (used + 1 >= size)
			buffer = xreallocarray(buffer, size = size ? 2 * size : 4096, 1);
		int r = wait_readable(fd, deadline_ms);
		if (r <= 0)
			return r < 0 ? r : -ETIME;
		ssize_t n = read(fd, buffer + used, size - used - 1);
		if (n < 0)
			return -errno;
		used += (size_t)n;
		out->cut = used > limit;
		if (n == 0 || out->cut)
			break;
	}
	if (out->cut && !max)
		return -EMSGSIZE;
	out->len = out->cut ? limit : used;
	buffer[out->len] = '\0';
	out->output = TAKE_PTR(buffer);
	return 0;
}

/* Reaps the child, which it kills at the deadline; true when it had to. */
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

static void read_last_line(int fd, char *out, size_t size)
{
	char text[1024] = "";
	off_t end = lseek(fd, 0, SEEK_END);
	off_t from = end > (off_t)sizeof(text) - 1 ? end - ((off_t)sizeof(text) - 1) : 0;
	ssize_t n = pread(fd, text, sizeof(text) - 1, from);

	while (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	const char *newline = strrchr(text, '\n');
	snprintf(out, size, "%s", newline ? newline + 1 : text);
}

static int attend(const struct child *child, pid_t pid, int output, struct child_result *out)
{
	int64_t deadline_ms = now_ms() + (int64_t)(child->timeout_us / 1000);
	struct child_result result = {};
	int r = read_output(output, deadline_ms, child->output_max, &result);
	bool enough = r < 0 || result.cut;
	bool late = reap(pid, enough ? 0 : deadline_ms, &result.code);

	if (r < 0 || (late && !enough)) {
		free(result.output);
		return r < 0 ? r : -ETIME;
	}
	*out = result;
	return 0;
}

int child_run(const struct child *child, struct child_result *out)
{
	autoclose int in = memory_file(child->input, child->input_len);
	if (in < 0)
		return in;
	autoclose int errors = memory_file(nullptr, 0);
	if (errors < 0)
		return errors;
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	autoclose int output = ends[0];
	pid_t pid = 0;
	int r = spawn(child->argv, (int[]){in, ends[1], errors}, &pid);
	close(ends[1]);
	if (r == 0)
		r = attend(child, pid, output, out);
	if (r == 0)
		read_last_line(errors, out->last_words, sizeof(out->last_words));
	return r;
}
