/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/log.h"
#include "lib/own.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the function writes to stderr, as one text. */
static const char *stderr_of(void (*write_lines)(void))
{
	static char text[16384];
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);

	assert_non_null(file);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	write_lines();
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);

	assert_int_equal(fseek(file, 0, SEEK_SET), 0);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static int reset(void **)
{
	log_set_level(LOG_INFO);
	log_set_tokens(nullptr);
	return unsetenv("JOURNAL_STREAM");
}

static void write_all_levels(void)
{
	log_err("a", "error %d", 1);
	log_warn("b", "warning");
	log_info("c", "info");
	log_debug("d", "debug");
}

static void test_level(void **)
{
	assert_string_equal(stderr_of(write_all_levels), "a: error 1\nb: warning\nc: info\n");
	log_set_level(LOG_ERR);
	assert_string_equal(stderr_of(write_all_levels), "a: error 1\n");
	log_set_level(LOG_DEBUG);
	assert_string_equal(
		stderr_of(write_all_levels), "a: error 1\nb: warning\nc: info\nd: debug\n");
}

static void write_debug(void)
{
	log_debug("route", "1");
	log_debug("rout", "2");
	log_debug("nft", "3");
	log_info("other", "4");
}

static void test_tokens(void **)
{
	log_set_level(LOG_DEBUG);
	log_set_tokens("link,route,nft");
	assert_string_equal(stderr_of(write_debug), "route: 1\nnft: 3\nother: 4\n");
	log_set_tokens("");
	assert_string_equal(stderr_of(write_debug), "other: 4\n");
}

static void write_to_own_journal(void)
{
	struct stat st;
	char stream[64];

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_err("a", "x");
	log_info("b", "y");
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_info("c", "redirected");
}

static void test_journal(void **)
{
	assert_string_equal(stderr_of(write_to_own_journal), "<3>a: x\n<6>b: y\nc: redirected\n");
}

static void write_hostile(void)
{
	log_info("t", "name=%s",
		"x\n<0>kernel: forged \x1b[2J\x9b"
		"1m\x7f");
}

static void test_forged_lines(void **)
{
	assert_string_equal(
		stderr_of(write_hostile), "t: name=x\\n<0>kernel: forged \\x1b[2J\\x9b1m\\x7f\n");
}

static void write_long(void)
{
	static char text[5000];

	memset(text, '\x01', sizeof(text) - 1);
	log_info("t", "%s", text);
}

static void test_long_line(void **)
{
	const char *text = stderr_of(write_long);

	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_true(strlen(text) > 4000 && strlen(text) < 4200);
}

static void write_errno(void)
{
	errno = ENOENT;
	log_info("t", "%m");
	assert_int_equal(errno, ENOENT);
}

static void test_errno(void **)
{
	assert_string_equal(stderr_of(write_errno), "t: No such file or directory\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_level, reset),
		cmocka_unit_test_setup(test_tokens, reset),
		cmocka_unit_test_setup(test_journal, reset),
		cmocka_unit_test_setup(test_forged_lines, reset),
		cmocka_unit_test_setup(test_long_line, reset),
		cmocka_unit_test_setup(test_errno, reset),
	};
	return cmocka_run_group_tests(tests, reset, nullptr);
}
