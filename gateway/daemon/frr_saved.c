/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_saved.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* `show running-config` ends so, a file does not. */
static const char end[] = "\nend\n";

static int read_all(int fd, char *text, size_t size, size_t *n)
{
	for (*n = 0; *n < size;) {
		ssize_t r = read(fd, text + *n, size - *n);
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		*n += (size_t)r;
	}
	return 0;
}

int frr_saved_look(const char *path)
{
	struct frr_running running = {};
	struct stat st;
	size_t n;
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)FRR_RUNNING_MAX)
		return -EINVAL;
	size_t size = (size_t)st.st_size;
	autofree char *text = xcalloc(size + sizeof(end), 1);
	int r = read_all(fd, text, size, &n);
	memcpy(text + n, end, sizeof(end));
	if (r >= 0)
		r = frr_running_read(text, n + sizeof(end) - 1, &running, nullptr);
	if (r >= 0)
		r = frr_running_has_ours(&running);
	frr_running_clear(&running);
	explicit_bzero(text, size);
	return r;
}
