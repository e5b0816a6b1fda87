/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bundle.h"
#include "cli/tar.h"
#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int parse_json(const char *text, struct evidence *out, struct err *err)
{
	autojson sd_json_variant *v = nullptr;

	if (sd_json_parse(text, 0, &v, nullptr, nullptr) < 0)
		return err_set(err, EINVAL, BUNDLE_RECORD ": not valid JSON");
	sd_json_variant *record = sd_json_variant_is_object(v) ? sd_json_variant_by_key(v, "record")
							       : nullptr;
	return evidence_from_json(record ? record : v, out, err);
}

static bool looks_like_json(const char *data, size_t len)
{
	size_t i = 0;

	while (i < len && strchr(" \t\r\n", data[i]) && data[i])
		i++;
	return i < len && data[i] == '{';
}

int bundle_parse(const void *data, size_t len, struct evidence *out, struct err *err)
{
	autofree char *text = nullptr;

	if (looks_like_json(data, len)) {
		if (len > TAR_MEMBER_MAX)
			return err_set(err, EFBIG, "too large");
		text = xcalloc(len + 1, 1);
		memcpy(text, data, len);
	} else {
		int r = tar_find(data, len, BUNDLE_RECORD, &text, err);
		if (r < 0)
			return r;
	}
	return parse_json(text, out, err);
}

static int read_all(int fd, char *buffer, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = read(fd, buffer + done, len - done);
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

int bundle_read_file(const char *path, struct evidence *out, struct err *err)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, EBADF, "%s: not a regular file", path);
	if (st.st_size > (off_t)BUNDLE_MAX)
		return err_set(err, EFBIG, "%s: larger than %zu bytes", path, BUNDLE_MAX);
	size_t len = (size_t)st.st_size;
	autofree char *buffer = xcalloc(len + 1, 1);
	int r = read_all(fd, buffer, len);
	if (r < 0)
		return err_set(err, -r, "%s: %s", path, strerror(-r));
	r = bundle_parse(buffer, len, out, err);
	return r < 0 ? err_ctx(err, "%s", path) : 0;
}
