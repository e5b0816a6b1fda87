/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tar.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* ---- Writing ---- */

struct tar {
	struct archive *archive;
	char *path;
	int fd;
	int64_t now_s;
};

static int fail(struct archive *a, const char *path, struct err *err)
{
	int code = archive_errno(a);
	const char *text = archive_error_string(a);

	return err_set(err, code > 0 ? code : EIO, "%s: %s", path, text ? text : "failed");
}

static int begin(struct tar *t, struct err *err)
{
	t->archive = archive_write_new();
	if (!t->archive)
		out_of_memory();
	/* pax, of which only long names make use: every tar reads it. */
	if (archive_write_set_format_pax_restricted(t->archive) != ARCHIVE_OK ||
		archive_write_open_fd(t->archive, t->fd) != ARCHIVE_OK)
		return fail(t->archive, t->path, err);
	return 0;
}

int tar_create(const char *path, int64_t now_s, struct tar **out, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	struct tar *t = xcalloc(1, sizeof(*t));
	*t = (struct tar){.path = xstrdup(path), .fd = fd, .now_s = now_s};
	int r = begin(t, err);
	if (r < 0) {
		tar_abandon(t);
		return r;
	}
	*out = t;
	return 0;
}

int tar_add(struct tar *t, const char *name, const void *data, size_t len, struct err *err)
{
	struct archive_entry *entry = archive_entry_new();

	if (!entry)
		out_of_memory();
	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_mtime(entry, t->now_s, 0);
	archive_entry_set_size(entry, (la_int64_t)len);
	int r = archive_write_header(t->archive, entry);
	if (r == ARCHIVE_OK && len > 0 &&
		archive_write_data(t->archive, data, len) != (la_ssize_t)len)
		r = ARCHIVE_FATAL;
	archive_entry_free(entry);
	return r == ARCHIVE_OK ? 0 : fail(t->archive, t->path, err);
}

static void release(struct tar *t)
{
	archive_write_free(t->archive);
	if (t->fd >= 0)
		close(t->fd);
	free(t->path);
	free(t);
}

int tar_finish(struct tar *t, struct err *err)
{
	int r = archive_write_close(t->archive) == ARCHIVE_OK ? 0 : fail(t->archive, t->path, err);

	if (r >= 0 && fsync(t->fd) < 0 && errno != EINVAL) /* what is no file of a disk */
		r = err_set(err, errno, "%s: %s", t->path, strerror(errno));
	if (r < 0)
		(void)unlink(t->path);
	release(t);
	return r;
}

void tar_abandon(struct tar *t)
{
	if (!t)
		return;
	(void)unlink(t->path);
	archive_write_fail(t->archive);
	release(t);
}

/* ---- Reading ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int read_member(struct archive *a, char **text, struct err *err)
{
	autofree char *buffer = nullptr;
	size_t used = 0, size = 4096;

	for (;;) {
		buffer = xreallocarray(buffer, size, 1);
		la_ssize_t n = archive_read_data(a, buffer + used, size - used - 1);
		if (n < 0)
			return err_set(err, EINVAL, "the archive is damaged");
		if (n == 0)
			break;
		used += (size_t)n;
		if (used > TAR_MEMBER_MAX)
			return err_set(err, EFBIG, "a file of the archive is too large");
		size = used + 1 < size ? size : 2 * size;
	}
	buffer[used] = '\0';
	*text = TAKE_PTR(buffer);
	return 0;
}

static int find(struct archive *a, const char *name, char **text, struct err *err)
{
	struct archive_entry *entry;
	int r;

	while ((r = archive_read_next_header(a, &entry)) == ARCHIVE_OK || r == ARCHIVE_WARN) {
		const char *path = archive_entry_pathname(entry);
		if (path && archive_entry_filetype(entry) == AE_IFREG &&
			strcmp(base_name(path), name) == 0)
			return read_member(a, text, err);
	}
	if (r == ARCHIVE_EOF)
		return err_set(err, ENOENT, "there is no %s in the archive", name);
	return err_set(err, EINVAL, "this is no tar archive");
}

int tar_find(const void *data, size_t len, const char *name, char **text, struct err *err)
{
	struct archive *a = archive_read_new();
	int r;

	if (!a)
		out_of_memory();
	if (archive_read_support_format_tar(a) != ARCHIVE_OK ||
		archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
		archive_read_open_memory(a, data, len) != ARCHIVE_OK)
		r = err_set(err, EINVAL, "this is no tar archive");
	else
		r = find(a, name, text, err);
	archive_read_free(a);
	return r;
}
