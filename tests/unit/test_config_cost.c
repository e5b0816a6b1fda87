/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Large and hostile configurations: the limits, the CPU time, and the length of the answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/config.h"
#include "conf/diag.h"
#include "conf/schema.h"
#include "lib/own.h"
#include <errno.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LAN "lan: [{interface: eth0, networks: [10.0.1.0/24, \"2001:db8:1::/64\"]}]\n"

/* Sanitizers make memory dear; growth that is not linear shows in less, too. */
#if __has_feature(address_sanitizer)
constexpr size_t HOSTILE_BYTES = CONFIG_MAX_BYTES / 8;
constexpr double TEN_THOUSAND_S = 5.0;
#else
constexpr size_t HOSTILE_BYTES = CONFIG_MAX_BYTES;
constexpr double TEN_THOUSAND_S = 1.0;
#endif

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char head[] = "lan:\n  - interface: eth0\n    networks: [10.0.0.0/16]\nallow:\n";

/* n entries, one destination each. */
static char *allow_text(size_t n)
{
	char *text = nullptr;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fputs(head, out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "  - {from: workers, to: 10.0.%zu.%zu, tcp: [%zu, \"8000-8100\"]}\n",
			i / 256, i % 256, 1 + i % 7000);
	fclose(out);
	return text;
}

static void test_ten_thousand_entries(void **)
{
	autofree char *text = allow_text(CONFIG_MAX_ALLOW);
	struct config *config = nullptr;
	struct config_diags diags;
	double begun = cpu_s();

	assert_int_equal(config_parse(text, strlen(text), &config, &diags), 0);
	double took = cpu_s() - begun;
	print_message(
		"%zu entries, %zu bytes: %.0f ms\n", CONFIG_MAX_ALLOW, strlen(text), took * 1e3);
	assert_int_equal(config->n_allow, CONFIG_MAX_ALLOW);
	assert_true(took < TEN_THOUSAND_S);
	config_free(config);
	config_diags_clear(&diags);
}

static void test_one_entry_more(void **)
{
	autofree char *text = allow_text(CONFIG_MAX_ALLOW + 1);
	struct config *config = nullptr;
	struct config_diags diags;

	assert_int_equal(config_parse(text, strlen(text), &config, &diags), -EINVAL);
	assert_int_equal(diags.n, 1);
	assert_string_equal(diags.list[0].message, "10001 entries; at most 10000 are supported");
	config_diags_clear(&diags);
}

/* A text of at most HOSTILE_BYTES that repeats a piece between head and tail. */
static char *repeated(const char *first, const char *piece, const char *last)
{
	size_t room = HOSTILE_BYTES - strlen(first) - strlen(last);
	char *text = nullptr;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fputs(first, out);
	for (size_t used = 0; used + strlen(piece) <= room; used += strlen(piece))
		fputs(piece, out);
	fputs(last, out);
	fclose(out);
	return text;
}

/* A megabyte that is as bad as it can be costs a second or two, and gives a bounded list. */
static void test_hostile(void **)
{
	static const struct {
		const char *name, *first, *piece, *last;
	} cases[] = {
		{"nesting", "", "[", ""},
		{"nested mappings", "", "{a: ", ""},
		{"block nesting", "", "- ", ""},
		{"question marks", "", "? ", ""},
		{"unknown keys", "", "netwroks: 1\n", LAN},
		{"one key again and again", "", "lan: 1\n", ""},
		{"interfaces", "lan:\n", " - {interface: a, networks: [::1/1]}\n", ""},
		{"networks", "lan: [{interface: e, networks: [", "1.0.0.0/8,", "]}]\n"},
		{"bad networks", "lan: [{interface: e, networks: [", "x,", "]}]\n"},
		{"ranges", LAN "mesh: {ranges: {sites: [", "10.9.0.0/16,", "]}}\n"},
		{"hosts", "lan: [{interface: e, networks: [{prefix: 10.0.0.0/8, hosts: [",
			"{address: 10.0.0.1, return_path: route},", "]}]}]\n"},
		{"ports", LAN "allow: [{to: 10.0.1.5, tcp: [", "1,", "]}]\n"},
		{"sources", LAN "allow: [{to: 10.0.1.5, from: [", "sites,", "]}]\n"},
		{"allow", LAN "allow: [", "{to: 10.0.2.1},", "]\n"},
		{"witnesses", "lan: [{interface: e, networks: [{prefix: 10.0.0.0/8, witness: [",
			"10.0.0.1:80,", "]}]}]\n"},
		{"witnesses of many", "lan: [{interface: e, networks: [",
			"{prefix: 10.0.0.0/8, witness: [10.0.0.1:80, 10.0.0.1:80]},", "]}]\n"},
		{"neighbours", LAN "bgp: {asn: 1, neighbors: [",
			"{address: 10.0.1.1, remote_as: 1, accept: [10.0.0.0/8]},", "]}\n"},
		{"communities",
			LAN "bgp: {asn: 1, neighbors: [{address: 10.0.1.1, remote_as: 1, "
			    "communities: [",
			"\"1:2\",", "]}]}\n"},
		{"accepted",
			LAN "bgp: {asn: 1, neighbors: [{address: 10.0.1.1, remote_as: 1, accept: [",
			"10.0.0.0/8,", "]}]}\n"},
		{"remedies", LAN "remedies: [", "tailscale-input,", "]\n"},
		{"one word", LAN "a: ", "x", "\n"},
		{"one key", LAN, "x", ": 1\n"},
		{"one string", LAN "a: \"", "\\x07", "\"\n"},
		{"anchors", "[", "&a a,", "]\n"},
		{"aliases", "[&a a,", "*a ,", "]\n"},
		{"tags", "[", "!a a,", "]\n"},
		{"control characters", "", "\x01", ""},
		{"blank lines", "", "\n", LAN},
		{"blanks", LAN, " ", "\n"},
		{"comments", "", "#\n", LAN},
		{"colons", "", ":", "\n"},
		{"hyphens", "", "-", "\n"},
		{"quotes", "", "'", "\n"},
		{"documents", "", "---\n", ""},
		{"directives", "", "%A\n", ""},
		{"tag directives", "", "%TAG !a! a\n", ""},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		autofree char *text = repeated(cases[i].first, cases[i].piece, cases[i].last);
		struct config *config = nullptr;
		struct config_diags diags;
		double begun = cpu_s();
		int r = config_parse(text, strlen(text), &config, &diags);
		double took = cpu_s() - begun;
		if (took > 0.25)
			print_message("%s: %.0f ms\n", cases[i].name, took * 1e3);
		assert_true(took < 3.0);
		assert_true(r == 0 || r == -EINVAL);
		assert_int_equal(diags.n > 0, r < 0);
		assert_true(diags.n <= DIAG_MAX);
		config_free(config);
		config_diags_clear(&diags);
	}
}

static void test_too_many_mistakes(void **)
{
	autofree char *text = repeated("", "x: 1\n", "");
	struct config *config = nullptr;
	struct config_diags diags;

	assert_int_equal(config_parse(text, strlen(text), &config, &diags), -EINVAL);
	assert_int_equal(diags.n, DIAG_MAX);
	const struct config_diag *last = &diags.list[diags.n - 1];
	char want[128];
	/* Each line is one, and "lan" is missing. */
	snprintf(want, sizeof(want), "and %zu further mistakes that are not listed",
		strlen(text) / 5 + 1 - (DIAG_MAX - 1));
	assert_string_equal(last->message, want);
	assert_int_equal(diags.total, strlen(text) / 5 + 1);
	config_diags_clear(&diags);
}

static void test_too_large(void **)
{
	size_t len = CONFIG_MAX_BYTES + 1;
	autofree char *text = malloc(len + 1);
	struct config *config = nullptr;
	struct config_diags diags;

	memset(text, '\n', len);
	memcpy(text, LAN, sizeof(LAN) - 1);
	assert_int_equal(config_parse(text, len - 1, &config, &diags), 0);
	config_free(config);
	config_diags_clear(&diags);
	assert_int_equal(config_parse(text, len, &config, &diags), -EFBIG);
	assert_int_equal(diags.n, 1);
	config_diags_clear(&diags);
	config_diags_clear(&diags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ten_thousand_entries),
		cmocka_unit_test(test_one_entry_more),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_too_many_mistakes),
		cmocka_unit_test(test_too_large),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
