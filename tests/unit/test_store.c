/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/store.h"
#include "lib/own.h"
#include "world.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void put(const struct world *w, const char *name, const char *text)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/%s", w->state_dir, name);
	autofclose FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static bool exists(const struct world *w, const char *name)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/%s", w->state_dir, name);
	return access(path, F_OK) == 0;
}

static void test_nothing_yet(void **state)
{
	const struct world *w = *state;
	struct err err = {};
	struct state s;
	char *text;
	size_t len;

	assert_int_equal(store_load(w->store, &s, &err), 0);
	assert_false(s.down || s.applying || s.pending || s.rolled_back || s.undone);
	assert_int_equal(s.records.n, 0);
	for (enum store_file f = STORE_CONFIRMED; f <= STORE_CANDIDATE; f++)
		assert_int_equal(store_read_config(w->store, f, &text, &len, &err), -ENOENT);
}

static void test_no_directory(void **state)
{
	const struct world *w = *state;
	struct store *s;
	struct err err = {};
	char path[160];

	snprintf(path, sizeof(path), "%s/nowhere", w->dir);
	assert_int_equal(store_open(path, &s, &err), -ENOENT);
	assert_non_null(strstr(err.msg, path));
}

static void test_round_trip(void **state)
{
	const struct world *w = *state;
	struct sysctl_record records[] = {
		{"ipv4/conf/eth0/forwarding", 2, 0, 1},
		{"ipv6/conf/all/forwarding", 0, -1, 1},
		{"ipv4/conf/a.b\"c/rp_filter", 7, 1, 2},
	};
	struct state in = {.down = true,
		.down_since = 1'700'000'000'000'000,
		.applying = true,
		.pending = true,
		.rolled_back = true,
		.undone = true,
		.frr = {.touched = true,
			.router = 4'200'000'000,
			.bfd = true,
			.begun = {{AF_INET, {10, 0, 1, 1}}, {AF_INET6, {0x20, 1, 0xd, 0xb8}}},
			.n_begun = 2},
		.records = {.list = records, .n = COUNT(records)}};
	struct state out;
	struct err err = {};

	assert_int_equal(store_save(w->store, &in, &err), 0);
	assert_int_equal(store_load(w->store, &out, &err), 0);
	assert_true(out.down && out.applying && out.pending && out.rolled_back && out.undone);
	assert_true(out.down_since == in.down_since);
	assert_true(out.frr.touched && out.frr.router == in.frr.router && out.frr.bfd);
	assert_int_equal(out.frr.n_begun, 2);
	assert_memory_equal(out.frr.begun, in.frr.begun, sizeof(in.frr.begun));
	assert_int_equal(out.records.n, COUNT(records));
	for (size_t i = 0; i < COUNT(records); i++) {
		assert_string_equal(out.records.list[i].key, records[i].key);
		assert_int_equal(out.records.list[i].ifindex, records[i].ifindex);
		assert_int_equal(out.records.list[i].before, records[i].before);
		assert_int_equal(out.records.list[i].ours, records[i].ours);
	}
	state_clear(&out);
	assert_false(exists(w, "state.json.new"));
}

#define BOOT "00000000000000000000000000000001"

/* A reboot puts the sysctls back by itself; what was decided stays decided. */
static void test_other_boot(void **state)
{
	const struct world *w = *state;
	struct state s;
	struct err err = {};

	put(w, "state.json",
		"{\"version\":1,\"bootId\":\"" BOOT "\",\"down\":true,\"downSince\":5,"
		"\"sysctls\":[{\"key\":\"ipv4/conf/eth0/forwarding\",\"ifindex\":2,"
		"\"before\":0,\"ours\":1}]}");
	assert_int_equal(store_load(w->store, &s, &err), 0);
	assert_true(s.down);
	assert_int_equal(s.records.n, 0);
}

/* Nobody but us writes it, but disks and hands do: no such file is obeyed in part. */
static void test_bad_state(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"null",
		"{}",
		"{\"bootId\":1,\"sysctls\":[]}",
		"{\"bootId\":\"" BOOT "\"}",
		"{\"bootId\":\"" BOOT "\",\"sysctls\":{}}",
		"{\"bootId\":\"%s\",\"down\":true,\"sysctls\":[1]}",
		"{\"bootId\":\"%s\",\"down\":true,\"sysctls\":[{}]}",
		"{\"bootId\":\"%s\",\"down\":true,\"sysctls\":[{\"key\":1,\"ifindex\":1,"
		"\"before\":0,\"ours\":1}]}",
		"{\"bootId\":\"%s\",\"down\":true,\"sysctls\":[{\"key\":\"a\",\"ifindex\":1,"
		"\"before\":0,\"ours\":\"1\"}]}",
		"{\"bootId\":\"%s\",\"down\":true,\"sysctls\":[{\"key\":\"a\","
		"\"ifindex\":99999999999,\"before\":0,\"ours\":1}]}",
	};
	const struct world *w = *state;
	struct state empty = {};
	struct err err = {};
	char boot[64];

	/* This boot's id, as the store itself writes it. */
	assert_int_equal(store_save(w->store, &empty, &err), 0);
	autofree char *own = nullptr;
	size_t len;
	char path[160];
	snprintf(path, sizeof(path), "%s/state.json", w->state_dir);
	assert_int_equal(config_read_file(path, &own, &len, &err), 0);
	const char *id = strstr(own, "bootId\":\"");
	assert_non_null(id);
	snprintf(boot, sizeof(boot), "%.32s", id + strlen("bootId\":\""));

	for (size_t i = 0; i < COUNT(texts); i++) {
		char text[512];
		const char *mark = strstr(texts[i], "%s");
		if (mark)
			snprintf(text, sizeof(text), "%.*s%s%s", (int)(mark - texts[i]), texts[i],
				boot, mark + 2);
		else
			snprintf(text, sizeof(text), "%s", texts[i]);
		put(w, "state.json", text);
		struct state s = {.down = true};
		assert_int_equal(store_load(w->store, &s, &err), 0);
		assert_false(s.down);
		assert_int_equal(s.records.n, 0);
		assert_false(exists(w, "state.json"));
		assert_true(exists(w, "state.json.bad"));
	}
}

/* A key as long as the longest that fits, and one longer. */
static void test_long_key(void **state)
{
	const struct world *w = *state;
	struct sysctl_record record = {.ours = 1};
	struct state in = {.records = {.list = &record, .n = 1}}, out;
	struct err err = {};

	memset(record.key, 'k', sizeof(record.key) - 1);
	assert_int_equal(store_save(w->store, &in, &err), 0);
	assert_int_equal(store_load(w->store, &out, &err), 0);
	assert_int_equal(out.records.n, 1);
	assert_string_equal(out.records.list[0].key, record.key);
	state_clear(&out);
}

static void check_file(const struct world *w, enum store_file file, const char *expected)
{
	autofree char *text = nullptr;
	size_t len;
	struct err err = {};

	int r = store_read_config(w->store, file, &text, &len, &err);
	if (!expected) {
		assert_int_equal(r, -ENOENT);
		return;
	}
	assert_int_equal(r, 0);
	assert_int_equal(len, strlen(expected));
	assert_string_equal(text, expected);
}

static void test_promote(void **state)
{
	static const struct {
		const char *candidate, *confirmed, *previous; /* after it */
	} steps[] = {
		{"a", "a", nullptr},
		{"b", "b", "a"},
		{"b", "b", "a"}, /* applied twice: undo still leads to a */
		{"c", "c", "b"},
	};
	const struct world *w = *state;
	struct err err = {};

	assert_int_equal(store_promote(w->store, &err), -ENOENT);
	for (size_t i = 0; i < COUNT(steps); i++) {
		assert_int_equal(
			store_write_config(w->store, STORE_CANDIDATE, steps[i].candidate, 1, &err),
			0);
		assert_int_equal(store_promote(w->store, &err), 0);
		check_file(w, STORE_CANDIDATE, nullptr);
		check_file(w, STORE_CONFIRMED, steps[i].confirmed);
		check_file(w, STORE_PREVIOUS, steps[i].previous);
	}
}

/* Half a write leaves the file that was there. */
static void test_disk_full(void **state)
{
	const struct world *w = *state;
	struct err err = {};
	struct state s = {.down = true};

	assert_int_equal(store_write_config(w->store, STORE_CONFIRMED, "old", 3, &err), 0);
	assert_int_equal(store_save(w->store, &s, &err), 0);
	world_disk_full(true);
	int config = store_write_config(w->store, STORE_CONFIRMED, "new", 3, &err);
	s.down = false;
	int saved = store_save(w->store, &s, &err);
	world_disk_full(false);
	assert_int_equal(config, -EFBIG);
	assert_int_equal(saved, -EFBIG);
	assert_non_null(strstr(err.msg, "state.json"));
	check_file(w, STORE_CONFIRMED, "old");
	assert_int_equal(store_load(w->store, &s, &err), 0);
	assert_true(s.down);
	assert_false(exists(w, "state.json.new") || exists(w, "confirmed.yaml.new"));
}

/* Others must not read what may name secrets' places, nor lead us elsewhere by a link. */
static void test_modes(void **state)
{
	const struct world *w = *state;
	struct err err = {};
	struct stat st;
	char path[160], target[160];

	snprintf(target, sizeof(target), "%s/elsewhere", w->dir);
	snprintf(path, sizeof(path), "%s/candidate.yaml.new", w->state_dir);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(store_write_config(w->store, STORE_CANDIDATE, "x", 1, &err), -ELOOP);
	assert_int_equal(access(target, F_OK), -1);

	assert_int_equal(store_write_config(w->store, STORE_CANDIDATE, "x", 1, &err), 0);
	snprintf(path, sizeof(path), "%s/candidate.yaml", w->state_dir);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 0137, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_yet, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_no_directory, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_round_trip, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_other_boot, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_bad_state, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_long_key, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_promote, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_disk_full, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_modes, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
