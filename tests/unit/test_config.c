/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the golden cases cannot show: the struct itself, equality, marks, files, and the cost of
 * large and hostile input.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/config.h"
#include "conf/cover.h"
#include "conf/diag.h"
#include "conf/print.h"
#include "conf/schema.h"
#include "conf/suggest.h"
#include "lib/own.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LAN "lan: [{interface: eth0, networks: [10.0.1.0/24, \"2001:db8:1::/64\"]}]\n"

static struct config *parse(const char *text)
{
	struct config *config = nullptr;
	struct config_diags diags = {};
	int r = config_parse(text, strlen(text), &config, &diags);

	for (size_t i = 0; i < diags.n; i++)
		print_error("%u:%u: %s: %s\n", diags.list[i].mark.line, diags.list[i].mark.column,
			diags.list[i].path, diags.list[i].message);
	assert_int_equal(r, 0);
	assert_int_equal(diags.n, 0);
	config_diags_clear(&diags);
	return config;
}

static char *print(const struct config *config)
{
	char *text = nullptr;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(config_print(config, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void assert_prefix(const struct prefix *p, const char *want)
{
	char text[PREFIX_STRLEN];

	assert_string_equal(prefix_str(p, text), want);
}

static void assert_mark(struct config_mark mark, uint32_t line, uint32_t column)
{
	assert_int_equal(mark.line, line);
	assert_int_equal(mark.column, column);
}

static void test_defaults(void **)
{
	static const struct {
		const char *prefix;
		enum range_class class;
	} want[] = {
		{"100.64.0.0/12", RANGE_WORKERS},
		{"100.96.0.0/12", RANGE_DEVICES},
		{"2606:4700:cf1:1000::/64", RANGE_DEVICES},
		{"2606:4700:cf1:5000::/64", RANGE_WORKERS},
	};
	struct config *config = parse(LAN);

	assert_string_equal(config->mesh_interface, "CloudflareWARP");
	assert_int_equal(config->return_path, RETURN_PATH_AUTO);
	assert_false(config->has_allow);
	assert_int_equal(config->n_ranges, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_prefix(&config->ranges[i].prefix, want[i].prefix);
		assert_int_equal(config->ranges[i].class, want[i].class);
		assert_mark(config->ranges[i].mark, 0, 0);
	}
	config_free(config);
}

static void test_values_and_marks(void **)
{
	struct config *config = parse("mesh:\n"
				      "  ranges:\n"
				      "    sites: [10.9.0.0/16]\n"
				      "lan:\n"
				      "  - interface: eth0\n"
				      "    networks:\n"
				      "      - 10.0.1.0/24\n"
				      "      - return_path: masquerade\n"
				      "        prefix: 10.0.2.0/24\n"
				      "        hosts: [{address: 10.0.2.60, return_path: route}]\n"
				      "return_path: route\n"
				      "allow:\n"
				      "  - from: [sites, 100.64.0.1]\n"
				      "    to: 10.0.2.60\n"
				      "    tcp: [80, 8000-8100]\n"
				      "    udp: all\n");
	const struct config_lan *lan = &config->lans[0];
	const struct config_network *plain = &lan->networks[0], *own = &lan->networks[1];
	const struct config_allow *allow = &config->allow[0];

	assert_prefix(&config->ranges[0].prefix, "10.9.0.0/16");
	assert_mark(config->ranges[0].mark, 3, 13);
	assert_int_equal(config->n_lans, 1);
	assert_mark(lan->mark, 5, 16);
	assert_int_equal(lan->n_networks, 2);
	assert_mark(plain->mark, 7, 9);
	assert_int_equal(plain->return_path, RETURN_PATH_ROUTE);
	assert_false(plain->return_path_own);
	assert_mark(own->mark, 9, 17);
	assert_int_equal(own->return_path, RETURN_PATH_MASQUERADE);
	assert_true(own->return_path_own);
	assert_int_equal(own->n_hosts, 1);
	assert_int_equal(own->hosts[0].return_path, RETURN_PATH_ROUTE);
	assert_mark(own->hosts[0].mark, 10, 27);

	assert_int_equal(config->n_allow, 1);
	assert_mark(allow->mark, 13, 5);
	assert_int_equal(allow->from_classes, 1U << RANGE_SITES);
	assert_int_equal(allow->n_from, 1);
	assert_prefix(&allow->from[0], "100.64.0.1/32");
	assert_prefix(&allow->to, "10.0.2.60/32");
	assert_int_equal(allow->n_tcp, 2);
	assert_int_equal(allow->tcp[1].first, 8000);
	assert_int_equal(allow->tcp[1].last, 8100);
	assert_int_equal(allow->n_udp, 1);
	assert_int_equal(allow->udp[0].first, 1);
	assert_int_equal(allow->udp[0].last, 65535);
	assert_false(allow->icmp);
	config_free(config);
}

/* No `from` means every class that holds something, and only those. */
static void test_default_sources(void **)
{
	struct config *config = parse("mesh: {ranges: {devices: [], sites: [10.9.0.0/16]}}\n" LAN
				      "allow: [{to: 10.0.1.5}]\n");

	assert_int_equal(config->allow[0].from_classes, 1U << RANGE_WORKERS | 1U << RANGE_SITES);
	assert_int_equal(config->allow[0].n_from, 0);
	config_free(config);
}

static void test_equal(void **)
{
	/* Each differs from all the others. */
	static const char *const texts[] = {
		LAN,
		LAN "return_path: route\n",
		LAN "return_path: masquerade\n",
		LAN "mesh: {interface: wg0}\n",
		LAN "mesh: {ranges: {workers: []}}\n",
		LAN "mesh: {ranges: {sites: [10.9.0.0/16]}}\n",
		LAN "mesh: {ranges: {resolved: [10.9.0.0/16]}}\n",
		LAN "mesh: {ranges: {sites: [10.9.0.0/17]}}\n",
		LAN "allow: []\n",
		LAN "allow: [{to: 10.0.1.5}]\n",
		LAN "allow: [{to: 10.0.1.6}]\n",
		LAN "allow: [{to: 10.0.1.5}, {to: 10.0.1.5}]\n",
		LAN "allow: [{to: 10.0.1.5, icmp: true}]\n",
		LAN "allow: [{to: 10.0.1.5, tcp: all}]\n",
		LAN "allow: [{to: 10.0.1.5, udp: all}]\n",
		LAN "allow: [{to: 10.0.1.5, udp: [1]}]\n",
		LAN "allow: [{to: 10.0.1.5, udp: [\"1-2\"]}]\n",
		LAN "allow: [{to: 10.0.1.5, udp: [1, 2]}]\n",
		LAN "allow: [{to: 10.0.1.5, from: workers}]\n",
		LAN "allow: [{to: 10.0.1.5, from: 100.64.0.1}]\n",
		LAN "allow: [{to: 10.0.1.5, from: 100.64.0.2}]\n",
		"lan: [{interface: eth1, networks: [10.0.1.0/24]}]\n",
		"lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n",
		"lan: [{interface: eth0, networks: [10.0.1.0/25]}]\n",
		"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, return_path: auto}]}]\n",
		"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, hosts: [{address: "
		"10.0.1.5, return_path: route}]}]}]\n",
		"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, hosts: [{address: "
		"10.0.1.6, return_path: route}]}]}]\n",
		"lan: [{interface: eth0, networks: [{prefix: 10.0.1.0/24, hosts: [{address: "
		"10.0.1.5, return_path: masquerade}]}]}]\n",
		"lan: [{interface: eth0, networks: [10.0.1.0/24]}, {interface: eth1, networks: "
		"[10.0.2.0/24]}]\n",
	};
	struct config *configs[COUNT(texts)];

	for (size_t i = 0; i < COUNT(texts); i++)
		configs[i] = parse(texts[i]);
	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t j = 0; j < COUNT(texts); j++)
			if (config_equal(configs[i], configs[j]) != (i == j))
				fail_msg("%zu and %zu:\n%s%s", i, j, texts[i], texts[j]);
	for (size_t i = 0; i < COUNT(texts); i++)
		config_free(configs[i]);
}

/* Order and spelling that carry no meaning make no difference. */
static void test_equal_spellings(void **)
{
	struct config *a = parse("mesh: {ranges: {workers: [10.8.0.0/16, 10.7.0.0/16]}}\n" LAN
				 "allow: [{to: 10.0.1.5, from: [devices, workers]}]\n");
	struct config *b = parse("allow:\n  - from: [workers, devices]\n    to: 10.0.1.5/32\n" LAN
				 "\n\nmesh:\n  interface: CloudflareWARP\n  ranges:\n"
				 "    workers: [10.7.0.0/16, 10.8.0.0/16]\n");

	assert_true(config_equal(a, b));
	config_free(a);
	config_free(b);
}

/* What is shipped as an example must work. */
static void test_shipped_example(void **)
{
	autofree char *text = nullptr;
	size_t len;
	struct err err = {};

	assert_int_equal(
		config_read_file(TEST_PROJECT_DIR "/gateway/conf/meshgw.yaml", &text, &len, &err),
		0);
	struct config *config = parse(text);
	autofree char *printed = print(config);
	struct config *again = parse(printed);
	autofree char *twice = print(again);
	assert_true(config_equal(config, again));
	assert_string_equal(printed, twice);
	config_free(config);
	config_free(again);
}

/* The manual page. */

static char *read_page(void)
{
	char *text = nullptr;
	size_t len;
	struct err err = {};

	assert_int_equal(
		config_read_file(TEST_PROJECT_DIR "/gateway/conf/meshgw.yaml.5", &text, &len, &err),
		0);
	return text;
}

static void assert_keys_in_page(const struct mapping *mapping, const char *page)
{
	for (size_t i = 0; i < mapping->n; i++) {
		const struct field *field = &mapping->fields[i];
		char item[64];
		snprintf(item, sizeof(item), "\n.It Ic %s\n", field->key);
		if (!strstr(page, item))
			fail_msg("meshgw.yaml(5) has no item for the key %s", field->key);
		if (field->mapping)
			assert_keys_in_page(field->mapping, page);
		if (field->list && field->list->element.mapping)
			assert_keys_in_page(field->list->element.mapping, page);
	}
}

static void test_keys_in_page(void **)
{
	autofree char *page = read_page();

	assert_keys_in_page(&schema_top, page);
}

/* Every example that has a key of the file's top level must be a good file, with a LAN if it
 * names none itself. */
static void test_examples_in_page(void **)
{
	static const char begin[] = "\n.Bd -literal -offset indent\n", end[] = "\n.Ed\n";
	static const char lan[] = "\n" LAN;
	autofree char *page = read_page();
	size_t n = 0;

	for (const char *p = page; (p = strstr(p, begin)); n++) {
		p += strlen(begin);
		const char *stop = strstr(p, end);
		assert_non_null(stop);
		if (strncmp(p, "hosts:", 6) == 0)
			continue;
		char text[2048];
		snprintf(text, sizeof(text), "%.*s\n", (int)(stop - p), p);
		if (!strstr(text, "lan:\n"))
			strncat(text, lan, sizeof(text) - strlen(text) - 1);
		config_free(parse(text));
	}
	assert_true(n > 5);
}

static void test_print_to_full_disk(void **)
{
	struct config *config = parse(LAN);
	FILE *full = fopen("/dev/full", "w");

	assert_non_null(full);
	assert_int_equal(config_print(config, full), -EIO);
	fclose(full);
	config_free(config);
}

/* Large and hostile input. */

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
	double begun = cpu_s();
	struct config *config = parse(text);
	double took = cpu_s() - begun;

	print_message(
		"%zu entries, %zu bytes: %.0f ms\n", CONFIG_MAX_ALLOW, strlen(text), took * 1e3);
	assert_int_equal(config->n_allow, CONFIG_MAX_ALLOW);
	assert_true(took < TEN_THOUSAND_S);

	autofree char *printed = print(config);
	struct config *again = parse(printed);
	assert_true(config_equal(config, again));
	config_free(config);
	config_free(again);

	autofree char *more = allow_text(CONFIG_MAX_ALLOW + 1);
	struct config_diags diags;
	assert_int_equal(config_parse(more, strlen(more), &again, &diags), -EINVAL);
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
	config_diags_clear(&diags);
}

static void test_too_large(void **)
{
	size_t len = CONFIG_MAX_BYTES + 1;
	autofree char *text = malloc(len + 1);
	struct config *config = nullptr;
	struct config_diags diags;

	memset(text, '\n', len);
	memcpy(text, LAN, strlen(LAN));
	assert_int_equal(config_parse(text, len - 1, &config, &diags), 0);
	config_free(config);
	config_diags_clear(&diags);
	assert_int_equal(config_parse(text, len, &config, &diags), -EFBIG);
	assert_int_equal(diags.n, 1);
	config_diags_clear(&diags);
	config_diags_clear(&diags);
}

/* Files. */

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
	double begun = cpu_s();
	assert_refused(path, EFBIG, "has 1073741824 bytes, the limit is 1048576");
	assert_true(cpu_s() - begun < 0.1);

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

/* The small parts. */

static void test_suggest(void **)
{
	static const struct {
		const char *a, *b;
		unsigned want;
	} cases[] = {
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"networks", "networks", 0},
		{"Networks", "networks", 0},
		{"netwroks", "networks", 1},
		{"network", "networks", 1},
		{"nettworks", "networks", 1},
		{"kitten", "sitting", 3},
		{"ca", "abc", 3},
		{"ba", "ab", 1},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(suggest_distance(cases[i].a, cases[i].b), cases[i].want);
		assert_int_equal(suggest_distance(cases[i].b, cases[i].a), cases[i].want);
	}
	assert_int_equal(suggest_distance("123456789012345678901234567890123", "x"), UINT_MAX);
	assert_int_equal(suggest_distance("12345678901234567890123456789012", "x"), 32);
}

static void test_suggestion(void **)
{
	static const char *const words[] = {"to", "tcp", "udp", "from", "icmp"};
	static const struct {
		const char *typed, *want;
	} cases[] = {
		{"tpc", "tcp"},
		{"form", "from"},
		{"imcp", "icmp"},
		{"TCP", "tcp"},
		{"ot", "to"},
		{"sctp", "tcp"},
		{"xy", nullptr},
		{"witness", nullptr},
		{"", nullptr},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct suggestion best = {};
		for (size_t j = 0; j < COUNT(words); j++)
			suggest_offer(&best, cases[i].typed, words[j]);
		if (cases[i].want)
			assert_string_equal(best.word, cases[i].want);
		else
			assert_null(best.word);
	}
}

/* Against the definition, with prefixes that nest and touch. */
static void test_cover(void **)
{
	static const char *const members[] = {"10.0.0.0/24", "10.0.1.0/25", "10.0.1.128/25",
		"10.0.0.128/25", "10.2.0.0/16", "10.2.7.0/24", "2001:db8::/48", "10.0.0.0/24"};
	static const char *const asked[] = {"10.0.0.0/24", "10.0.0.7/32", "10.0.0.0/23",
		"10.0.1.0/24", "10.0.1.127/32", "10.0.1.128/32", "10.2.255.255/32", "10.3.0.0/32",
		"9.255.255.255/32", "10.0.2.0/32", "2001:db8::1/128", "2001:db8:1::/64",
		"2001:db7::/64", "0.0.0.0/0", "::/0", "255.255.255.255/32"};
	[[gnu::cleanup(cover_clear)]] struct cover cover = cover_new(COUNT(members));
	struct prefix list[COUNT(members)];

	for (size_t i = 0; i < COUNT(members); i++) {
		assert_int_equal(prefix_parse(members[i], &list[i]), 0);
		cover_add(&cover, &list[i]);
	}
	cover_finish(&cover);
	assert_true(cover.complete);
	for (size_t i = 0; i < COUNT(asked); i++) {
		struct prefix p;
		bool want = false;
		assert_int_equal(prefix_parse(asked[i], &p), 0);
		for (size_t j = 0; j < COUNT(list); j++)
			want |= prefix_contains(&list[j], &p);
		assert_int_equal(cover_has(&cover, &p), want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values_and_marks),
		cmocka_unit_test(test_default_sources),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_equal_spellings),
		cmocka_unit_test(test_shipped_example),
		cmocka_unit_test(test_keys_in_page),
		cmocka_unit_test(test_examples_in_page),
		cmocka_unit_test(test_print_to_full_disk),
		cmocka_unit_test(test_ten_thousand_entries),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_too_many_mistakes),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_fifo),
		cmocka_unit_test(test_one_gigabyte),
		cmocka_unit_test(test_size_unknown),
		cmocka_unit_test(test_long_path),
		cmocka_unit_test(test_suggest),
		cmocka_unit_test(test_suggestion),
		cmocka_unit_test(test_cover),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
