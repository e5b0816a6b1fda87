/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tailscale's filter in a real kernel, as iptables-nft makes it and as its own nftables code does:
 * what it does to the mesh's packets, and our rules in it, which come and go without a trace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nft/foreign.h"
#include "nft/txn.h"
#include "nft_world.h"
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SOURCES                                                      \
	"-A ts-input -s 100.101.102.103/32 -i lo -j ACCEPT\n"        \
	"-A ts-input -s 100.115.92.0/23 ! -i tailscale0 -j RETURN\n" \
	"-A ts-input -s 100.64.0.0/10 ! -i tailscale0 -j DROP\n"     \
	"-A ts-input -i tailscale0 -j ACCEPT\n"                      \
	"-A ts-input -p udp -m udp --dport 41641 -j ACCEPT\n"

static const char by_iptables[] = "iptables-restore <<'END'\n"
				  "*filter\n:ts-input -\n-I INPUT -j ts-input\n" SOURCES
				  "COMMIT\nEND\n";
/* As Tailscale's nftables_runner.go: interface first, without a NUL. */
static const char by_nft[] =
	"nft -f - <<'END'\n"
	"table ip filter {\n"
	"chain ts-input {\n"
	"iifname lo ip saddr 100.101.102.103 counter accept\n"
	"iifname != tailscale0* ip saddr 100.115.92.0/23 counter return\n"
	"iifname != tailscale0* ip saddr 100.64.0.0/10 counter drop\n"
	"iifname tailscale0* counter accept\n"
	"udp dport 41641 counter accept\n}\n"
	"chain INPUT { type filter hook input priority 0; policy accept; jump ts-input; }\n}\nEND\n";

/* The same again after a restart of Tailscale. */
static const char again[] = "iptables -F ts-input && iptables-restore -n <<'END'\n"
			    "*filter\n" SOURCES "COMMIT\nEND\n";

static struct prefix ranges[4];
static const struct nft_mesh mesh = {.interface = "mesh0", .ranges = ranges, .n_ranges = 4};

static bool has_iptables(void)
{
	return system("command -v iptables-restore >/dev/null 2>&1") == 0;
}

static void shell(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static char *output(const char *command)
{
	static char text[8192];
	FILE *f = popen(command, "r");

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	assert_int_equal(pclose(f), 0);
	return text;
}

static struct nft_foreign look_at(struct nft_world *w, uint8_t family)
{
	struct nft_foreign f = {};
	struct err err = {};

	if (nft_foreign_read(w->nl, family, &mesh, &f, &err) < 0)
		fail_msg("%s", err.msg);
	return f;
}

static void expect(struct nft_world *w, uint8_t family, size_t dropped, size_t ours, bool passed)
{
	struct nft_foreign f = look_at(w, family);

	assert_int_equal(f.n_dropped, dropped);
	assert_int_equal(f.n_ours, ours);
	assert_int_equal(f.passed, passed);
	assert_int_equal(f.handle != 0, dropped > 0);
	nft_foreign_clear(&f);
}

static void put(struct nft_world *w, bool pass)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct err err = {};

	for (size_t i = 0; i < 2; i++)
		if (nft_foreign_write(w->conn, families[i], &mesh, pass, &err) < 0)
			fail_msg("%s", err.msg);
}

static char *ruleset(void)
{
	char *text = strdup(output("nft -a -s list ruleset 2>/dev/null"));
	assert_non_null(text);
	return text;
}

static void assert_ruleset(const char *before)
{
	char *now = ruleset();
	assert_string_equal(now, before);
	free(now);
}

/* No table, a table without the chain, the chain without a drop: nothing is done. */
static void test_nothing_there(void **state)
{
	static const char *const tables[] = {
		"add table inet other",
		"add table ip filter",
		"add chain ip filter INPUT { type filter hook input priority 0; }",
		"add chain ip filter ts-input",
		"add rule ip filter INPUT jump ts-input",
		"add rule ip filter ts-input iifname tailscale0 accept",
	};
	struct nft_world *w = *state;

	for (size_t i = 0; i < COUNT(tables); i++) {
		assert_true(nft_world_tool(tables[i]));
		char *before = ruleset();
		expect(w, AF_INET, 0, 0, true);
		expect(w, AF_INET6, 0, 0, true);
		put(w, true);
		put(w, false);
		assert_ruleset(before);
		free(before);
	}
}

static void come_and_go(struct nft_world *w, const char *shape)
{
	shell(shape);
	char *before = ruleset();
	expect(w, AF_INET, 2, 0, false);
	expect(w, AF_INET6, 0, 0, true);
	put(w, true);
	expect(w, AF_INET, 2, 2, true);
	char *with = ruleset();
	put(w, true); /* never twice */
	assert_ruleset(with);
	free(with);
	put(w, false);
	expect(w, AF_INET, 2, 0, false);
	assert_ruleset(before);
	put(w, false);
	assert_ruleset(before);
	free(before);
}

static void test_nft_shape(void **state)
{
	come_and_go(*state, by_nft);
}

static void test_iptables_shape(void **state)
{
	if (!has_iptables())
		skip();
	come_and_go(*state, by_iptables);
}

/* Others can list, save and delete them like rules of their own. */
static void test_iptables_understands(void **state)
{
	struct nft_world *w = *state;

	if (!has_iptables())
		skip();
	shell(by_iptables);
	put(w, true);
	assert_string_equal(output("iptables -S ts-input"),
		"-N ts-input\n"
		"-A ts-input -s 100.64.0.0/12 -i mesh0 -m comment --comment \"meshgw remedy\" "
		"-j ACCEPT\n"
		"-A ts-input -s 100.96.0.0/12 -i mesh0 -m comment --comment \"meshgw remedy\" "
		"-j ACCEPT\n" SOURCES);
	/* What is restored carries the comment in another form, and is still ours. */
	shell("iptables-save | iptables-restore");
	expect(w, AF_INET, 2, 2, true);
	char *before = ruleset();
	put(w, true);
	assert_ruleset(before);
	free(before);
	shell("iptables -D ts-input -s 100.64.0.0/12 -i mesh0 -m comment --comment 'meshgw remedy' "
	      "-j ACCEPT");
	expect(w, AF_INET, 2, 1, false);
	put(w, true);
	expect(w, AF_INET, 2, 2, true);
	put(w, false);
	assert_string_equal(output("iptables -S ts-input"), "-N ts-input\n" SOURCES);
}

/* The chain is filled anew, or a drop is put in front. */
static void test_put_back(void **state)
{
	struct nft_world *w = *state;

	if (!has_iptables())
		skip();
	shell(by_iptables);
	put(w, true);
	shell(again);
	expect(w, AF_INET, 2, 0, false);
	put(w, true);
	expect(w, AF_INET, 2, 2, true);
	shell("iptables -I ts-input -s 100.64.0.0/10 ! -i tailscale0 -j DROP");
	expect(w, AF_INET, 2, 2, false);
	put(w, true);
	expect(w, AF_INET, 2, 2, true);
	/* Without the drop there is nothing to pass. */
	shell("iptables -F ts-input");
	put(w, true);
	expect(w, AF_INET, 0, 0, true);
	/* Tailscale is stopped: its jump goes first, then the chain, which must be empty. */
	shell(again);
	put(w, true);
	shell("iptables -D INPUT -j ts-input");
	expect(w, AF_INET, 0, 2, false);
	put(w, true);
	shell("iptables -F ts-input && iptables -X ts-input");
	expect(w, AF_INET, 0, 0, true);
}

/* Rules of other ranges, or of another interface, are ours and wrong. */
static void test_other_configuration(void **state)
{
	struct nft_world *w = *state;
	struct nft_mesh other = mesh;
	struct err err = {};

	shell(by_nft);
	other.interface = "mesh00";
	assert_int_equal(nft_foreign_write(w->conn, AF_INET, &other, true, &err), 0);
	expect(w, AF_INET, 2, 2, false);
	other = (struct nft_mesh){.interface = "mesh0", .ranges = ranges, .n_ranges = 1};
	assert_int_equal(nft_foreign_write(w->conn, AF_INET, &other, true, &err), 0);
	expect(w, AF_INET, 2, 1, false);
	put(w, true);
	expect(w, AF_INET, 2, 2, true);
	/* Who knows no configuration finds them all the same. */
	other = (struct nft_mesh){.interface = ""};
	assert_int_equal(nft_foreign_write(w->conn, AF_INET, &other, false, &err), 0);
	expect(w, AF_INET, 2, 0, false);
}

/* How many of the two ranges of the family are dropped. */
static void test_rules(void **state)
{
	static const struct {
		const char *family, *input, *rules; /* separated by ; */
		size_t dropped;
	} cases[] = {
		{"ip", "jump ts-input", "drop", 2},
		{"ip", "jump ts-input", "ip saddr 100.64.0.0/10 drop", 2},
		{"ip", "goto ts-input", "ip saddr 100.64.0.0/10 drop", 2},
		{"ip", "accept; jump ts-input", "ip saddr 100.64.0.0/10 drop", 0},
		{"ip", "iifname mesh0 accept; jump ts-input", "drop", 0},
		{"ip", "iifname eth0 accept; jump ts-input", "drop", 2},
		{"ip", "drop; jump ts-input", "drop", 0},
		{"ip", "ct state established accept; jump ts-input", "drop", 2},
		{"ip", "iifname eth0 jump ts-input", "drop", 0},
		{"ip", "iifname \"mesh*\" jump ts-input", "drop", 2},
		{"ip", "", "drop", 0},
		{"ip", "jump ts-input", "ip saddr 100.64.0.0/16 drop", 1},
		{"ip", "jump ts-input", "ip saddr 100.0.0.0/8 drop", 2},
		{"ip", "jump ts-input", "ip saddr 10.0.0.0/8 drop", 0},
		{"ip", "jump ts-input", "ip saddr != 100.64.0.0/12 drop", 1},
		{"ip", "jump ts-input", "iifname != tailscale0 drop", 2},
		{"ip", "jump ts-input", "iifname tailscale0 drop", 0},
		{"ip", "jump ts-input", "iifname mesh0 return; drop", 0},
		{"ip", "jump ts-input", "iifname mesh0 ip saddr 100.64.0.0/12 accept; drop", 1},
		{"ip", "jump ts-input", "iifname mesh0 ip saddr 100.64.0.0/13 accept; drop", 2},
		{"ip", "jump ts-input", "tcp dport 22 drop", 0},
		{"ip", "jump ts-input", "tcp dport 22 accept; drop", 2},
		{"ip", "jump ts-input", "ip saddr { 100.64.0.0/10, 10.0.0.1 } drop", 0},
		{"ip", "jump ts-input", "ip daddr 100.64.0.0/10 drop", 0},
		{"ip6", "jump ts-input", "ip6 saddr 2606:4700::/32 drop", 2},
		{"ip6", "jump ts-input", "ip6 saddr 2606:4700:cf1:5000::/64 drop", 1},
		{"ip6", "jump ts-input", "ip6 saddr fd7a:115c:a1e0::/48 drop", 0},
		{"ip6", "jump ts-input", "iifname tailscale0 accept", 0},
		{"inet", "jump ts-input", "drop", 0},
	};
	struct nft_world *w = *state;
	char command[512];

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t family = strcmp(cases[i].family, "ip6") != 0 ? AF_INET : AF_INET6;
		print_message("%s: %s\n", cases[i].input, cases[i].rules);
		snprintf(command, sizeof(command),
			"nft 'flush ruleset; table %s filter { chain ts-input { %s\n}\n"
			"chain INPUT { type filter hook input priority 0; %s\n}\n}'",
			cases[i].family, cases[i].rules, cases[i].input);
		shell(command);
		expect(w, family, cases[i].dropped, 0, !cases[i].dropped);
		put(w, true);
		expect(w, family, cases[i].dropped, cases[i].dropped, true);
	}
}

/* What was looked at must still be so when it is written. */
static void test_generation(void **state)
{
	struct nft_world *w = *state;
	struct nft_txn t;
	struct err err = {};

	nft_conn_begin(w->conn, &t);
	nft_txn_require(&t, 0x7fffffff);
	assert_int_equal(nft_conn_commit(w->conn, &t, "nothing", &err), -ERESTART);
	nft_txn_clear(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define KERNEL_TEST(f) cmocka_unit_test_setup_teardown(f, nft_world_setup, nft_world_teardown)
		KERNEL_TEST(test_nothing_there),
		KERNEL_TEST(test_nft_shape),
		KERNEL_TEST(test_iptables_shape),
		KERNEL_TEST(test_iptables_understands),
		KERNEL_TEST(test_put_back),
		KERNEL_TEST(test_other_configuration),
		KERNEL_TEST(test_rules),
		KERNEL_TEST(test_generation),
	};
	static const char *const texts[] = {"100.64.0.0/12", "100.96.0.0/12",
		"2606:4700:cf1:5000::/64", "2606:4700:cf1:1000::/64"};

	if (!netns_may())
		return NETNS_SKIP;
	for (size_t i = 0; i < COUNT(texts); i++)
		ranges[i] = netns_prefix(texts[i]);
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
