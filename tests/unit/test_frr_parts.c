/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon's FRR side reads from the file system: password files, and FRR's coming and
 * going.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/frr_md5.h"
#include "daemon/frr_ops.h"
#include "daemon/frr_password.h"
#include "daemon/frr_presence.h"
#include "daemon/frr_routes.h"
#include "lib/marks.h"
#include "lib/own.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];

static void write_file(const char *name, const char *text, size_t len, mode_t mode)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	(void)unlink(path);
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
}

static void test_password(void **)
{
	static const char long_line[] = "0123456789012345678901234567890123456789"
					"0123456789012345678901234567890123456789";
	static const struct {
		const char *text;
		mode_t mode;
		const char *password, *complaint;
	} cases[] = {
		{"s3cret\n", 0640, "s3cret", nullptr},
		{"s3cret", 0400, "s3cret", nullptr},
		{"!#$%&()*+,-./:;<=>@[]^_{}~\n", 0600, "!#$%&()*+,-./:;<=>@[]^_{}~", nullptr},
		{long_line, 0600, long_line, nullptr},
		{"s3cret\n", 0644, nullptr, "mode 0644"},
		{"s3cret\n", 0660, nullptr, "mode 0660"},
		{"s3cret\n", 0641, nullptr, "mode 0641"},
		{"", 0600, nullptr, "is empty"},
		{"\n", 0600, nullptr, "is empty"},
		{"two\nlines\n", 0600, nullptr, "more than one line"},
		{"two\n\n", 0600, nullptr, "more than one line"},
		{"with space", 0600, nullptr, "a character"},
		{"a?b", 0600, nullptr, "a character"},
		{"a|b", 0600, nullptr, "a character"},
		{"a'b", 0600, nullptr, "a character"},
		{"tab\t", 0600, nullptr, "a character"},
		{"umlaut\xc3\xa4", 0600, nullptr, "a character"},
	};
	char path[128], out[FRR_PASSWORD_MAX + 1];

	snprintf(path, sizeof(path), "%s/password", dir);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {};
		write_file("password", cases[i].text, strlen(cases[i].text), cases[i].mode);
		int r = frr_password_read(path, out, &err);
		assert_string_equal(out, cases[i].password ? cases[i].password : "");
		if (cases[i].password) {
			assert_int_equal(r, 0);
			continue;
		}
		assert_true(r < 0);
		assert_non_null(strstr(err.msg, path));
		assert_non_null(strstr(err.msg, cases[i].complaint));
		assert_null(strstr(err.msg, "s3cret"));
	}
	write_file("password", "nul\0byte", 8, 0600);
	assert_int_equal(frr_password_read(path, out, nullptr), -EINVAL);
	write_file("password",
		"0123456789012345678901234567890123456789x"
		"0123456789012345678901234567890123456789",
		81, 0600);
	assert_int_equal(frr_password_read(path, out, nullptr), -EINVAL);
	assert_int_equal(frr_password_read(dir, out, nullptr), -EINVAL);
	assert_int_equal(frr_password_read("/nonexistent/password", out, nullptr), -ENOENT);
}

/* A script as diff.h writes it, and what of it is an operation. */
static void test_ops(void **)
{
	static const char *const lines[] = {"configure terminal",
		"ip prefix-list MESHGW-RANGES seq 5 permit 100.64.0.0/12",
		"route-map MESHGW-NETWORK permit 10", "route-map MESHGW-IN-10.0.1.1 permit 10",
		" match ip address prefix-list X", "bfd", " profile MESHGW-BFD-10.0.1.1",
		"  transmit-interval 100", "router bgp 65010", " neighbor 10.0.1.1 bfd",
		" address-family ipv4 unicast", "  no neighbor 10.0.1.1 activate",
		" exit-address-family", " no neighbor 10.0.1.2", "no ip route 100.64.0.0/12 mesh0",
		"end"};
	/* clang-format off */
	static const char *const expected[] = {
		"add|frr ip prefix-list MESHGW-RANGES seq 5 permit 100.64.0.0/12|",
		"add|frr route-map MESHGW-NETWORK permit 10|",
		"add|frr route-map MESHGW-IN-10.0.1.1 permit 10|",
		"add|frr match ip address prefix-list X|route-map MESHGW-IN-10.0.1.1 permit 10",
		"add|frr profile MESHGW-BFD-10.0.1.1|bfd",
		"add|frr transmit-interval 100|bfd, profile MESHGW-BFD-10.0.1.1",
		"add|frr router bgp 65010|",
		"add|frr neighbor 10.0.1.1 bfd|router bgp 65010",
		"delete|frr neighbor 10.0.1.1 activate|router bgp 65010, address-family ipv4 unicast",
		"delete|frr neighbor 10.0.1.2|router bgp 65010",
		"add|frr neighbor 10.0.1.1 password <hidden>|router bgp 65010",
		"delete|frr ip route 100.64.0.0/12 mesh0|",
	};
	/* clang-format on */
	constexpr size_t n = sizeof(expected) / sizeof(expected[0]);
	struct frr_diff diff = {};
	struct frr_running none = {}, other = {.asn = 65010};
	struct ops ops = {};
	char name[OP_NAME_LEN], detail[OP_NAME_LEN], line[400];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!strcmp(lines[i], "no ip route 100.64.0.0/12 mesh0"))
			frr_script_add_secret(&diff.script, (struct frr_mark){}, " ",
				"neighbor 10.0.1.1 password geheim", 26);
		frr_script_add(&diff.script, (struct frr_mark){}, "%s", lines[i]);
	}
	frr_ops_add(&diff, &none, &ops);
	for (size_t i = 0; i < n && i < ops.n; i++) {
		const struct op *op = &ops.list[i];
		snprintf(line, sizeof(line), "%s|%s|%s", op_action_str(op->action),
			op_name(op, name), op_detail(op, detail));
		assert_string_equal(line, expected[i]);
	}
	assert_int_equal(ops.n, n);
	ops_clear(&ops);
	frr_ops_add(&diff, &other, &ops); /* there is a `router bgp` already */
	assert_int_equal(ops.n, n - 1);
	ops_clear(&ops);
	frr_script_clear(&diff.script);
}

static void test_md5(void **)
{
	static const struct {
		const char *text;
		uint64_t wrong, unexpected;
	} cases[] = {
		{"TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure X\n"
		 "TcpExt: 9 1 20 300 7\nIpExt: A\nIpExt: 5\n",
			301, 20},
		{"TcpExt: TCPMD5Failure\nTcpExt: 18446744073709551615\n", UINT64_MAX, 0},
		{"TcpExt: TCPMD5Failure TCPMD5Unexpected\nTcpExt: 1\n", 1, 0},
		{"TcpExt: TCPMD5Failure\n", 0, 0},
		{"", 0, 0},
	};
	struct frr_md5 now;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		frr_md5_read(cases[i].text, &now);
		assert_int_equal(now.wrong, cases[i].wrong);
		assert_int_equal(now.unexpected, cases[i].unexpected);
	}
	assert_true(frr_md5_look(&now));
}

static void count(void *arg)
{
	++*(unsigned *)arg;
}

static void settle(sd_event *event)
{
	while (sd_event_run(event, 0) > 0)
		;
}

static void check_seen(sd_event *event, unsigned *calls, bool changed, unsigned sockets)
{
	char run[96];

	*calls = 0;
	settle(event);
	snprintf(run, sizeof(run), "%s/run", dir);
	assert_int_equal(*calls > 0, changed);
	struct frr_there t = frr_presence_look("/bin/sh", run);
	assert_true(t.installed);
	assert_int_equal(t.sockets, sockets);
	assert_true(sockets ? t.age_us < 60'000'000 : t.age_us == UINT64_MAX);
}

static void in_dir(const char *format, char *out)
{
	snprintf(out, 128, "%s/%s", dir, format);
}

/* zebra dies, and leaves its socket and its number. */
static void check_death(sd_event *event, unsigned *calls)
{
	char text[16], path[128];
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		pause();
		_exit(0);
	}
	snprintf(text, sizeof(text), "%d\n", child);
	write_file("run/zebra.pid", text, strlen(text), 0600);
	check_seen(event, calls, true, FRR_SOCKET_ZEBRA);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, nullptr, 0), child);
	check_seen(event, calls, true, 0);
	in_dir("run/zebra.pid", path);
	assert_int_equal(unlink(path), 0);
	check_seen(event, calls, true, FRR_SOCKET_ZEBRA);
}

/* The folder comes, sockets come and go, the folder goes and comes again. */
static void test_presence(void **)
{
	sd_event *event = nullptr;
	struct frr_presence *p = nullptr;
	struct err err = {};
	unsigned calls = 0;
	char run[128], zebra[128];

	in_dir("run", run);
	in_dir("run/zebra.vty", zebra);
	assert_int_equal(sd_event_new(&event), 0);
	assert_int_equal(frr_presence_new(event, run, count, &calls, &p, &err), 0);
	check_seen(event, &calls, false, 0);
	for (unsigned round = 0; round < 2; round++) {
		assert_int_equal(mkdir(run, 0700), 0);
		check_seen(event, &calls, true, 0);
		write_file("run/zebra.log", "1", 1, 0600);
		check_seen(event, &calls, false, 0);
		write_file("run/zebra.vty", "", 0, 0600);
		check_seen(event, &calls, true, FRR_SOCKET_ZEBRA);
		check_death(event, &calls);
		write_file("run/bgpd.vty", "", 0, 0600);
		check_seen(event, &calls, true, FRR_SOCKET_ZEBRA | FRR_SOCKET_BGPD);
		assert_int_equal(unlink(zebra), 0);
		check_seen(event, &calls, true, FRR_SOCKET_BGPD);
		char path[128];
		in_dir("run/bgpd.vty", path);
		assert_int_equal(unlink(path), 0);
		in_dir("run/zebra.log", path);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(rmdir(run), 0);
		check_seen(event, &calls, true, 0);
	}
	frr_presence_free(p);
	sd_event_unref(event);
}

static int setup(void **)
{
	snprintf(dir, sizeof(dir), "/tmp/test_frr.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **)
{
	char path[128];

	in_dir("password", path);
	(void)unlink(path);
	return rmdir(dir);
}

/* A range is announced while the kernel leads it into the tunnel. */
static void test_routes(void **)
{
	static const struct {
		uint32_t ours, same, other; /* metrics of the routes there are, 0 = none */
		bool usable;
	} cases[] = {
		{MARK_METRIC, 0, 0, true},
		{0, 20, 0, true},
		{MARK_METRIC, 20, 0, true},
		{0, 0, 0, false},
		{0, 0, 20, false},
		{MARK_METRIC, 0, 20, false}, /* somebody's static or blackhole in front of ours */
		{MARK_METRIC, 20, 100, true},
	};
	struct link link = {.ifindex = 7, .flags = IFF_UP | IFF_LOWER_UP, .name = "mesh0"};
	struct config_range range = {};
	struct config config = {.mesh_interface = "mesh0", .ranges = &range, .n_ranges = 1};
	assert_int_equal(prefix_parse("100.64.0.0/12", &range.prefix), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct route ours = {.dst = range.prefix, .oif = 7, .metric = cases[i].ours};
		struct route foreign[2];
		size_t n = 0;
		if (cases[i].same)
			foreign[n++] = (struct route){
				.dst = range.prefix, .oif = 7, .metric = cases[i].same};
		if (cases[i].other)
			foreign[n++] = (struct route){
				.dst = range.prefix, .metric = cases[i].other};
		struct gateway g = {.config = &config};
		g.seen.links.list = &link;
		g.seen.links.n = 1;
		g.seen.ours = (struct route_set){.list = &ours, .n = cases[i].ours != 0};
		g.seen.foreign = (struct route_set){.list = foreign, .n = n};
		struct frr_routes routes = {};
		(void)frr_routes_look(&routes, &g, true, 1);
		assert_int_equal(routes.usable[0], cases[i].usable);
		(void)frr_routes_look(&routes, &g, true, 2 * FRR_ROUTE_GRACE_US);
		assert_int_equal(routes.announce[0], cases[i].usable);
		frr_routes_clear(&routes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_password),
		cmocka_unit_test(test_md5),
		cmocka_unit_test(test_ops),
		cmocka_unit_test(test_presence),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
