/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/secret_file.h"
#include "lib/own.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int check_file(int fd, const char *path, enum secret_file_kind kind, struct err *err)
{
	bool public = kind == SECRET_FILE_PUBLIC;
	mode_t closed = S_IWGRP | S_IWOTH | (public ? 0 : S_IRWXO);
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "%s is no regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_set(err, EACCES, "%s belongs neither to root nor to meshgw", path);
	if (st.st_mode & closed)
		return err_set(err, EACCES, "%s has mode %04o: others can %s it", path,
			st.st_mode & 07777U, public ? "change" : "read or change");
	return 0;
}

int secret_file_read(const char *path, enum secret_file_kind kind, char *buf, size_t size,
	size_t *len, struct err *err)
{
	/* O_NONBLOCK: a pipe in its place must not stop us. */
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	int r = check_file(fd, path, kind, err);
	if (r < 0)
		return r;
	*len = 0;
	while (*len < size - 1) {
		ssize_t n = read(fd, buf + *len, size - 1 - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, errno, "%s: %s", path, strerror(errno));
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	buf[*len] = '\0';
	return 0;
}
