/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "verdict/template.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Names with "=" and values, ended by nullptr. */
static const char *find(const void *of, const char *name, char buf[static FIELD_STRLEN])
{
	size_t len = strlen(name);

	for (const char *const *p = of; *p; p++)
		if (!strncmp(*p, name, len) && (*p)[len] == '=') {
			snprintf(buf, FIELD_STRLEN, "%s", *p + len + 1);
			return buf;
		}
	return nullptr;
}

static const char *const given[] = {
	"if=eth0",
	"net=10.0.1.0/24",
	"odd=two words",
	"tick=it's",
	"dash=-rf",
	"ctl=a\nb",
	"utf=caf\xc3\xa9",
	"empty=",
	nullptr,
};

static void test_command(void **)
{
	static const struct {
		const char *template;
		int r;
		const char *want;
	} cases[] = {
		{"ip link", 0, "ip link"},
		{"ip link show dev {if}", 0, "ip link show dev eth0"},
		{"ip route get {net}[ iif {if}]", 0, "ip route get 10.0.1.0/24 iif eth0"},
		{"ip route get {net}[ iif {none}]", 0, "ip route get 10.0.1.0/24"},
		{"ip route get {net}[ iif {if} mark {none}]", 0, "ip route get 10.0.1.0/24"},
		{"a[ 'x {none}] {odd}", 0, "a 'two words'"},
		{"a [b] {if}[ {none}]", 0, "a [b] eth0"},
		{"a {none}", -ENOENT, ""},
		{"a {empty}", -ENOENT, ""},
		{"a {odd}", 0, "a 'two words'"},
		{"a x{odd}y", 0, "a x'two words'y"},
		{"a {tick}", 0, "a 'it'\\''s'"},
		{"a {dash}", -EINVAL, ""},
		{"a '{dash}'", -EINVAL, ""},
		{"a x{dash}", 0, "a x-rf"},
		{"a {ctl}", -EINVAL, ""},
		{"a {utf}", -EINVAL, ""},
		{"a '{odd}'", -EINVAL, ""},
		{"a \"{odd}\"", -EINVAL, ""},
		{"a '{if}'", 0, "a 'eth0'"},
		{"a '\"' {odd}", 0, "a '\"' 'two words'"},
		{"a {odd...}", 0, "a two words"},
		{"a {if...}", 0, "a eth0"},
		{"a {none...}", -ENOENT, ""},
		{"a {tick...}", -EINVAL, ""},
		{"a {dash...}", -EINVAL, ""},
		{"a {ctl...}", -EINVAL, ""},
		{"a {odd..}", 0, "a {odd..}"},
		{"nft list table {odd}", -EINVAL, ""},
		{"nft list table {if}", 0, "nft list table eth0"},
		{"true && nft list table {odd}", -EINVAL, ""},
		{"nft 'add chain x { type nat; }'", 0, "nft 'add chain x { type nat; }'"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct template_values values = {find, given};
		char out[64];
		int r = template_command(cases[i].template, &values, out, sizeof(out));
		if (r != cases[i].r || strcmp(out, cases[i].want) != 0)
			fail_msg("%s: %d, \"%s\"", cases[i].template, r, out);
	}
}

static void test_command_too_long(void **)
{
	struct template_values values = {find, given};
	char out[17];

	/* Half a command is another command. */
	assert_int_equal(template_command("ip link del {if}", &values, out, 17), 0);
	assert_int_equal(template_command("ip link del {if}", &values, out, 16), -E2BIG);
	assert_string_equal(out, "");
}

static void test_text(void **)
{
	struct template_values values = {find, given};
	char out[64], small[8];

	assert_string_equal(
		template_text("on {odd}[, {none}].", &values, out, sizeof(out)), "on two words.");
	assert_string_equal(
		template_text("{ctl}{utf}", &values, out, sizeof(out)), "a\\nbcaf\\xc3\\xa9");
	assert_true(strlen(template_text("on and on {odd}", &values, small, sizeof(small))) < 8);
}

/* What a shell makes of a value is the value. */
static void test_shell(void **)
{
	static const char *const values[] = {
		"x=plain",
		"x=two  words",
		"x=it's 'quoted'",
		"x='",
		"x=$(echo no)",
		"x=`echo no`",
		"x=a;echo no",
		"x=a&&echo no|cat",
		"x=\"$HOME\"",
		"x=*",
		"x=~",
		"x=#no",
		"x=back\\slash\\",
		"x=!!",
		"x=a=b",
		"x={a,b}",
		"x=<in>out",
	};

	for (size_t i = 0; i < COUNT(values); i++) {
		const char *const one[] = {values[i], nullptr};
		struct template_values from = {find, one};
		char command[256], got[256] = "";
		assert_int_equal(
			template_command("printf '<%s>' {x}", &from, command, sizeof(command)), 0);
		FILE *sh = popen(command, "re"); /* NOLINT(cert-env33-c): the point of the test */
		assert_non_null(sh);
		size_t n = fread(got, 1, sizeof(got) - 1, sh);
		assert_int_equal(pclose(sh), 0);
		assert_true(n > 2);
		got[n - 1] = '\0';
		assert_string_equal(got + 1, values[i] + 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_command_too_long),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_shell),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
