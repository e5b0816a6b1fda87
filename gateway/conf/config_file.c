/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/config.h"
#include "lib/escape.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Refuses what is no regular file or too large, before a byte is read. */
static int check_kind(int fd, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "%s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return err_set(err, EISDIR, "is a folder, not a file");
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "is not a regular file");
	if (st.st_size > (off_t)CONFIG_MAX_BYTES)
		return err_set(err, EFBIG, "has %jd bytes, the limit is %zu", (intmax_t)st.st_size,
			CONFIG_MAX_BYTES);
	return 0;
}

/* Until the end of the file, whatever its size said; it may grow meanwhile. */
static int read_all(int fd, char *text, size_t *len, struct err *err)
{
	size_t used = 0;

	for (;;) {
		ssize_t n = read(fd, text + used, CONFIG_MAX_BYTES + 1 - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, errno, "%s", strerror(errno));
		if (n == 0)
			break;
		used += (size_t)n;
		if (used > CONFIG_MAX_BYTES)
			return err_set(err, EFBIG, "has more than %zu bytes, which is the limit",
				CONFIG_MAX_BYTES);
	}
	text[used] = '\0';
	*len = used;
	return 0;
}

static int read_file(const char *path, char **text, size_t *len, struct err *err)
{
	/* O_NONBLOCK: opening a fifo must not wait for a writer. */
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_set(err, errno, "%s", strerror(errno));

	int r = check_kind(fd, err);
	if (r < 0)
		return r;
	autofree char *buf = xcalloc(CONFIG_MAX_BYTES + 1, 1);
	r = read_all(fd, buf, len, err);
	if (r < 0)
		return r;
	*text = TAKE_PTR(buf);
	return 0;
}

int config_read_file(const char *path, char **text, size_t *len, struct err *err)
{
	int r = read_file(path, text, len, err);
	char shown[160]; /* a long path must leave room for what is wrong */

	return r < 0 ? err_ctx(err, "%s", escape_text(path, strlen(path), shown, sizeof(shown)))
		     : 0;
}
