/* SPDX-License-Identifier: Apache-2.0 */
/* secret_file: whose files are read, how much of them, and what is said of the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/secret_file.h"
#include "folder.h"
#include "lib/own.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

constexpr uid_t NOBODY = 65534;

static void put(const struct folder *f, const char *text, size_t len, mode_t mode)
{
	(void)unlink(f->path);
	autoclose int fd = open(f->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, mode), 0);
}

static void test_modes(void **state)
{
	static const struct {
		enum secret_file_kind kind;
		mode_t mode;
		const char *complaint; /* nullptr: it is read */
	} cases[] = {
		{SECRET_FILE_CLOSED, 0400, nullptr},
		{SECRET_FILE_CLOSED, 0600, nullptr},
		{SECRET_FILE_CLOSED, 0640, nullptr},
		{SECRET_FILE_CLOSED, 0750, nullptr},
		{SECRET_FILE_CLOSED, 0660, " has mode 0660: others can read or change it"},
		{SECRET_FILE_CLOSED, 0644, " has mode 0644: others can read or change it"},
		{SECRET_FILE_CLOSED, 0641, " has mode 0641: others can read or change it"},
		{SECRET_FILE_CLOSED, 0602, " has mode 0602: others can read or change it"},
		{SECRET_FILE_PUBLIC, 0644, nullptr},
		{SECRET_FILE_PUBLIC, 0755, nullptr},
		{SECRET_FILE_PUBLIC, 0664, " has mode 0664: others can change it"},
		{SECRET_FILE_PUBLIC, 0646, " has mode 0646: others can change it"},
	};
	const struct folder *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		char buf[64], want[128];
		struct err err = {};
		size_t len;
		put(f, "s3cret", 6, cases[i].mode);
		int r = secret_file_read(f->path, cases[i].kind, buf, sizeof(buf), &len, &err);
		if (cases[i].complaint) {
			snprintf(want, sizeof(want), "%s%s", f->path, cases[i].complaint);
			assert_int_equal(r, -EACCES);
			assert_string_equal(err.msg, want);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(len, 6);
		assert_string_equal(buf, "s3cret");
	}
}

/* What is longer than the buffer is cut, and a byte of 0 is a byte. */
static void test_lengths(void **state)
{
	static const struct {
		const char *text;
		size_t size, len;
		const char *read;
	} cases[] = {
		{"", 0, 0, ""},
		{"1234567", 7, 7, "1234567"},
		{"123456789", 9, 7, "1234567"},
		{"12\0"
		 "45",
			5, 5, "12"},
	};
	const struct folder *f = *state;
	char buf[8];
	size_t len;

	for (size_t i = 0; i < COUNT(cases); i++) {
		put(f, cases[i].text, cases[i].size, 0600);
		memset(buf, 'x', sizeof(buf));
		assert_int_equal(secret_file_read(f->path, SECRET_FILE_CLOSED, buf, sizeof(buf),
					 &len, nullptr),
			0);
		assert_int_equal(len, cases[i].len);
		assert_string_equal(buf, cases[i].read);
		assert_int_equal(buf[len], '\0');
	}
}

static void check_refused(const char *path, int code, const char *complaint)
{
	char buf[8], want[128];
	struct err err = {};
	size_t len;

	assert_int_equal(
		secret_file_read(path, SECRET_FILE_CLOSED, buf, sizeof(buf), &len, &err), -code);
	snprintf(want, sizeof(want), "%s%s", path, complaint);
	assert_string_equal(err.msg, want);
}

static void test_no_file(void **state)
{
	const struct folder *f = *state;

	check_refused(f->path, ENOENT, ": No such file or directory");
	check_refused(f->dir, EINVAL, " is no regular file");
	check_refused("/dev/zero", EINVAL, " is no regular file");
	/* Nobody writes into it: opening must not wait. */
	assert_int_equal(mkfifo(f->path, 0600), 0);
	check_refused(f->path, EINVAL, " is no regular file");
}

static void test_owner(void **state)
{
	const struct folder *f = *state;

	put(f, "s3cret", 6, 0600);
	if (chown(f->path, NOBODY, (gid_t)-1) < 0)
		skip(); /* only root gives files away */
	check_refused(f->path, EACCES, " belongs neither to root nor to meshgw");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_modes),
		TEST(test_lengths),
		TEST(test_no_file),
		TEST(test_owner),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
