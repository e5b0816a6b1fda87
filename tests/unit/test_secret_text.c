/* SPDX-License-Identifier: Apache-2.0 */
/* secret_text: which tokens, certificates and keys are taken. Whose files: test_secret_file.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/secret_text.h"
#include "folder.h"
#include "lib/own.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PEM "-----BEGIN X-----\nAAAA\n-----END X-----\n"
#define TOKEN "0123456789abcdef"

static void test_files(void **state)
{
	static const struct {
		enum secret_text_kind kind;
		mode_t mode;
		const char *text, *want; /* nullptr: refused */
	} cases[] = {
		{SECRET_TEXT_TOKEN, 0640, TOKEN, TOKEN},
		{SECRET_TEXT_TOKEN, 0600, TOKEN "\n", TOKEN},
		{SECRET_TEXT_TOKEN, 0400, TOKEN "-._~+/A==\n", TOKEN "-._~+/A=="},
		{SECRET_TEXT_TOKEN, 0644, TOKEN, nullptr},
		{SECRET_TEXT_TOKEN, 0641, TOKEN, nullptr},
		{SECRET_TEXT_TOKEN, 0660, TOKEN, nullptr},
		{SECRET_TEXT_TOKEN, 0640, "", nullptr},
		{SECRET_TEXT_TOKEN, 0640, "short", nullptr},
		{SECRET_TEXT_TOKEN, 0640, TOKEN "\n\n", nullptr},
		{SECRET_TEXT_TOKEN, 0640, TOKEN "\n" TOKEN, nullptr},
		{SECRET_TEXT_TOKEN, 0640, TOKEN " ", nullptr},
		{SECRET_TEXT_TOKEN, 0640, "================", nullptr},
		{SECRET_TEXT_TOKEN, 0640, TOKEN "=a", nullptr},
		{SECRET_TEXT_KEY, 0640, PEM, PEM},
		{SECRET_TEXT_KEY, 0644, PEM, nullptr},
		{SECRET_TEXT_KEY, 0640, TOKEN, nullptr},
		{SECRET_TEXT_KEY, 0640, PEM "\xc3\xa4", nullptr},
		{SECRET_TEXT_CERTIFICATE, 0644, PEM, PEM},
		{SECRET_TEXT_CERTIFICATE, 0664, PEM, nullptr},
		{SECRET_TEXT_CERTIFICATE, 0646, PEM, nullptr},
	};
	struct folder *f = *state;
	const char *path = f->path;

	for (size_t i = 0; i < COUNT(cases); i++) {
		autofree char *text = nullptr;
		struct err err = {};
		autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert_int_equal(write(fd, cases[i].text, strlen(cases[i].text)),
			(ssize_t)strlen(cases[i].text));
		assert_int_equal(fchmod(fd, cases[i].mode), 0);
		int r = secret_text_read(cases[i].kind, path, &text, &err);
		if (!cases[i].want != (r < 0))
			fail_msg("case %zu: %d %s", i, r, err.msg);
		if (r >= 0)
			assert_string_equal(text, cases[i].want);
		/* No message says what a file holds. */
		if (r < 0 && cases[i].text[0])
			assert_null(strstr(err.msg, cases[i].text));
		assert_int_equal(fchmod(fd, 0600), 0);
	}
	(void)unlink(path);
}

static void test_file_kinds(void **state)
{
	struct folder *f = *state;
	autofree char *text = nullptr;
	struct err err = {};
	const char *path = f->path;

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(secret_text_read(SECRET_TEXT_TOKEN, path, &text, &err), -EINVAL);
	(void)unlink(path);
	assert_int_equal(secret_text_read(SECRET_TEXT_TOKEN, path, &text, &err), -ENOENT);
	assert_int_equal(secret_text_read(SECRET_TEXT_KEY, "/dev/zero", &text, &err), -EINVAL);
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, (off_t)SECRET_PEM_MOST + 1), 0);
	assert_int_equal(secret_text_read(SECRET_TEXT_KEY, path, &text, &err), -EFBIG);
	assert_int_equal(ftruncate(fd, 100), 0); /* NULs */
	assert_int_equal(secret_text_read(SECRET_TEXT_KEY, path, &text, &err), -EINVAL);
	(void)unlink(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_files),
		TEST(test_file_kinds),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
