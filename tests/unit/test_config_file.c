/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_read_file() and the kinds of things that a path can name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/config.h"
#include "lib/own.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char dir[] = "/tmp/test_config.XXXXXX";

static int make_dir(void **)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **)
{
	return rmdir(dir);
}

static const char *in_dir(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void assert_refused(const char *path, int code, const char *why)
{
	char *text = (char *)1;
	size_t len = 77;
	struct err err = {};
	char want[sizeof(err.msg)];

	assert_int_equal(config_read_file(path, &text, &len, &err), -code);
	snprintf(want, sizeof(want), "%s: %s", path, why);
	assert_string_equal(err.msg, want);
	assert_ptr_equal(text, (char *)1); /* outputs are written only on success */
	assert_int_equal(len, 77);
}

static void test_file(void **)
{
	const char *path = in_dir("good");
	static const char content[] = "lan:\0 []";
	FILE *file = fopen(path, "w");
	autofree char *text = nullptr;
	size_t len;
	struct err err = {};

	assert_non_null(file);
	assert_int_equal(fwrite(content, 1, sizeof(content) - 1, file), sizeof(content) - 1);
	fclose(file);
	assert_int_equal(config_read_file(path, &text, &len, &err), 0);
	assert_int_equal(len, sizeof(content) - 1);
	assert_memory_equal(text, content, sizeof(content));
	unlink(path);
}

static void test_no_file(void **)
{
	assert_refused(in_dir("missing"), ENOENT, "No such file or directory");
	assert_refused(dir, EISDIR, "is a folder, not a file");
	assert_refused("/dev/zero", EINVAL, "is not a regular file");
	assert_refused("", ENOENT, "No such file or directory");
}

static void test_unreadable(void **)
{
	const char *path = in_dir("unreadable");
	int fd = creat(path, 0);

	assert_true(fd >= 0);
	close(fd);
	/* Root may read it all the same, so become somebody else, if we are root. */
	if (geteuid() == 0)
		assert_int_equal(chmod(dir, 0755) | seteuid(65534), 0);
	assert_refused(path, EACCES, "Permission denied");
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	unlink(path);
}

/* Nobody will ever write into it. */
static void test_fifo(void **)
{
	const char *path = in_dir("fifo");

	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(10);
	assert_refused(path, EINVAL, "is not a regular file");
	alarm(0);
	unlink(path);
}

static void test_one_gigabyte(void **)
{
	const char *path = in_dir("sparse");
	int fd = creat(path, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 1 << 30), 0);
	close(fd);
	/* That it names the size shows that it was not read. */
	assert_refused(path, EFBIG, "has 1073741824 bytes, the limit is 1048576");

	assert_int_equal(truncate(path, CONFIG_MAX_BYTES + 1), 0);
	assert_refused(path, EFBIG, "has 1048577 bytes, the limit is 1048576");

	autofree char *text = nullptr;
	size_t len;
	assert_int_equal(truncate(path, CONFIG_MAX_BYTES), 0);
	assert_int_equal(config_read_file(path, &text, &len, nullptr), 0);
	assert_int_equal(len, CONFIG_MAX_BYTES);
	unlink(path);
}

/* Files of /proc say that their size is 0. */
static void test_size_unknown(void **)
{
	autofree char *text = nullptr;
	size_t len;

	assert_int_equal(config_read_file("/proc/self/status", &text, &len, nullptr), 0);
	assert_true(len > 100);
}

static void test_long_path(void **)
{
	char path[3000];
	char *text;
	size_t len;
	struct err err = {};

	memset(path, 'x', sizeof(path) - 1);
	path[0] = '\x1b';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(config_read_file(path, &text, &len, &err), -ENAMETOOLONG);
	assert_non_null(strstr(err.msg, "...: File name too long"));
	assert_memory_equal(err.msg, "\\x1bxxx", 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_fifo),
		cmocka_unit_test(test_one_gigabyte),
		cmocka_unit_test(test_size_unknown),
		cmocka_unit_test(test_long_path),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
