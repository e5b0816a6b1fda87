/* SPDX-License-Identifier: Apache-2.0 */
#include "logfile.h"
#include "lib/log.h"
#include "lib/own.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[PATH_MAX]; /* "" = it is no file */

void logfile_remember(void)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	ssize_t n = readlink("/proc/self/fd/1", path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
}

/* Threads may be writing: the descriptor's number changes its file in one step (dup2(2)). */
void logfile_reopen(void)
{
	if (!*path)
		return;
	autoclose int fd = open(
		path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0640);
	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
		log_warn("log", "%s: %s", path, strerror(errno));
	else
		log_info("log", "opened again path=%s", path);
}
