/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/hung.h"
#include "cli/client.h"
#include "lib/own.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <unistd.h>

constexpr int END_TIMEOUT_MS = 5000;

/* The pid in the lock file, 0 when there is none. */
static pid_t lock_pid(int lock)
{
	char text[16] = "";
	char *end;

	if (pread(lock, text, sizeof(text) - 1, 0) <= 0)
		return 0;
	long pid = strtol(text, &end, 10);
	if ((*end && *end != '\n') || pid <= 1 || pid > INT_MAX)
		return 0;
	return (pid_t)pid;
}

/* Asked by trying: a lock that is free is held for that moment. */
static bool lock_is_held(int lock)
{
	if (flock(lock, LOCK_SH | LOCK_NB) == 0) {
		(void)flock(lock, LOCK_UN);
		return false;
	}
	return errno == EWOULDBLOCK;
}

/* Does the process run meshgwd, or one that a package upgrade has replaced? 1, 0, or -errno. */
static int runs_meshgwd(pid_t pid)
{
	static const char name[] = "/meshgwd";
	char link[32], exe[PATH_MAX];

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	ssize_t n = readlink(link, exe, sizeof(exe) - 1);
	if (n < 0)
		return -errno;
	exe[n] = '\0';
	const char *base = strrchr(exe, '/');
	size_t len = strlen(name);
	return base && strncmp(base, name, len) == 0 &&
	       (!base[len] || strcmp(base + len, " (deleted)") == 0);
}

static enum exit_status end(int pidfd, pid_t pid, struct failure *f)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	if (pidfd_send_signal(pidfd, SIGKILL, nullptr, 0) < 0 && errno != ESRCH)
		return failure_set(f, errno == EPERM ? EXIT_PERMISSION : EXIT_TIMEOUT,
			"meshgwd (pid %d) does not answer and cannot be ended: %s", pid,
			strerror(errno));
	if (poll(&p, 1, END_TIMEOUT_MS) <= 0)
		return failure_set(f, EXIT_TIMEOUT,
			"meshgwd (pid %d) does not answer and does not end: the kernel holds it",
			pid);
	return EXIT_DONE;
}

enum exit_status hung_end(struct failure *f)
{
	struct client_path path = client_path(HUNG_LOCK);
	autoclose int lock = open(path.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	pid_t pid = lock < 0 ? 0 : lock_pid(lock);
	autoclose int pidfd = pid ? pidfd_open(pid, 0) : -1;

	int known = pidfd >= 0 && lock_is_held(lock) && lock_pid(lock) == pid ? runs_meshgwd(pid)
									      : 0;

	if (known == -EACCES || known == -EPERM)
		return failure_set(f, EXIT_PERMISSION,
			"meshgwd (pid %d) does not answer, and ending it needs root", pid);
	if (known <= 0)
		return failure_set(f, EXIT_TIMEOUT,
			"meshgwd does not answer, and %s does not tell its process: end it with "
			"systemctl kill -s KILL meshgwd",
			path.text);
	return end(pidfd, pid, f);
}
