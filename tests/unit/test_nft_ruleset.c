/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everybody's base chains as a real kernel has them (nft/ruleset.h), in the shapes that ufw, Docker
 * and others give them; whose they are (nft/by.h); and whether iptables-legacy is there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nft/by.h"
#include "nft/legacy.h"
#include "nft/ruleset.h"
#include "nft_world.h"
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void shell(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void read_rules(struct nft_world *w, struct nft_ruleset *out)
{
	static const char lan[][IFNAMSIZ] = {"lan0"};
	const struct nft_model *m = nft_model("route");
	const struct nft_leaving leaving = {m->ranges, m->n_ranges, lan, 1};
	struct err err = {};

	if (nft_ruleset_read(w->nl, &leaving, out, &err) < 0)
		fail_msg("%s", err.msg);
}

static const struct nft_base_chain *find(
	const struct nft_ruleset *r, uint8_t family, const char *table, const char *chain)
{
	const struct nft_base_chain *c = nft_ruleset_find(r, family, table, chain);

	if (!c)
		fail_msg("no chain %s of table %s", chain, table);
	return c;
}

static void test_chains(void **state)
{
	struct nft_world *w = *state;
	struct nft_ruleset r = {};

	read_rules(w, &r);
	assert_int_equal(r.n, 0);
	nft_world_replace(w, nft_model("masquerade"));
	shell("iptables -P FORWARD DROP; iptables -N ufw-before-forward;"
	      "iptables -A FORWARD -p tcp -j ACCEPT; iptables -A FORWARD -j ufw-before-forward;"
	      "ip6tables -N ts-forward; ip6tables -A FORWARD -j ts-forward;"
	      "iptables -t mangle -N DOCKER-X; iptables -t mangle -N KUBE-X;"
	      "iptables -t mangle -A FORWARD -j KUBE-X; iptables -t mangle -A FORWARD -j DOCKER-X;"
	      "iptables -t raw -N KUBE-X; iptables -t raw -A PREROUTING -j KUBE-X;"
	      "iptables -N DOCKER-USER; iptables -I FORWARD -j DOCKER-USER;"
	      "nft add table inet firewalld;"
	      "nft 'add chain inet firewalld fw { type filter hook forward priority filter + 10; }';"
	      "nft add table netdev x;"
	      "nft 'add chain netdev x in { type filter hook ingress device lan0 priority -5; "
	      "policy drop; }'");
	read_rules(w, &r);

	const struct nft_base_chain *c = find(&r, NFPROTO_IPV4, "filter", "FORWARD");
	assert_string_equal(c->hook, "forward");
	assert_string_equal(c->type, "filter");
	assert_string_equal(c->by, "ufw");
	assert_int_equal(c->rules, 3);
	assert_true(c->drops && !c->owned);
	assert_string_equal(find(&r, NFPROTO_IPV4, "mangle", "FORWARD")->by, "docker");
	assert_string_equal(find(&r, NFPROTO_IPV4, "raw", "PREROUTING")->by, "kube");
	c = find(&r, NFPROTO_IPV6, "filter", "FORWARD");
	assert_string_equal(c->by, "");
	assert_false(c->drops);
	c = find(&r, NFPROTO_INET, "firewalld", "fw");
	assert_string_equal(c->by, "firewalld");
	assert_int_equal(c->priority, 10);
	c = find(&r, NFPROTO_NETDEV, "x", "in");
	assert_string_equal(c->hook, "ingress");
	assert_string_equal(c->device, "lan0");
	assert_int_equal(c->priority, -5);
	assert_true(c->drops);
	c = find(&r, NFPROTO_INET, "meshgw", "srcnat");
	assert_true(c->owned && c->nat_source);
	assert_string_equal(c->by, "meshgw");
	assert_null(nft_ruleset_find(&r, NFPROTO_IPV4, "filter", "ufw-before-forward"));
	nft_ruleset_clear(&r);
}

/* Rules of others that take flows of the mesh, and those that do not. */
static void test_source_nat(void **state)
{
	static const struct {
		const char *rules;
		bool takes;
		const char *by;
	} cases[] = {
		{"iptables -t nat -A POSTROUTING -o lan0 -j MASQUERADE", true, ""},
		{"iptables -t nat -A POSTROUTING -o lan+ -j MASQUERADE", true, ""},
		{"iptables -t nat -A POSTROUTING -j MASQUERADE", true, ""},
		{"iptables -t nat -A POSTROUTING -s 100.64.0.0/10 -j SNAT --to-source 10.0.1.11",
			true, ""},
		{"iptables -t nat -A POSTROUTING -o wan0 -j MASQUERADE", false, ""},
		{"iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
			false, ""},
		{"iptables -t nat -A POSTROUTING ! -s 100.64.0.0/10 -o lan0 -j MASQUERADE", false,
			""},
		{"iptables -t nat -A POSTROUTING ! -o lan0 -j MASQUERADE", false, ""},
		{"iptables -t nat -N LIBVIRT_PRT; iptables -t nat -A POSTROUTING -j LIBVIRT_PRT;"
		 "iptables -t nat -A LIBVIRT_PRT -j MASQUERADE",
			true, "libvirt"},
		{"iptables -t nat -N LIBVIRT_PRT; iptables -t nat -A POSTROUTING -s 10.9.0.0/16 -j "
		 "LIBVIRT_PRT; iptables -t nat -A LIBVIRT_PRT -j MASQUERADE",
			false, ""},
		{"nft add table ip io.systemd.nat;"
		 "nft 'add chain ip io.systemd.nat p { type nat hook postrouting priority 100; }';"
		 "nft add rule ip io.systemd.nat p masquerade",
			true, "networkd"},
		/* Loops of chains end. */
		{"nft add table ip t; nft 'add chain ip t p { type nat hook postrouting priority 0; }';"
		 "nft add chain ip t a; nft add chain ip t b; nft add rule ip t p jump a;"
		 "nft add rule ip t a jump b; nft add rule ip t p jump b",
			false, ""},
		/* Not at postrouting: source NAT at input is about this host. */
		{"nft add table ip t; nft 'add chain ip t i { type nat hook input priority 100; }';"
		 "nft add rule ip t i snat to 10.0.1.11",
			false, ""},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct nft_ruleset r = {};
		void *w = nullptr;
		const char *by = "";
		bool takes = false;

		assert_int_equal(nft_world_setup(&w), 0);
		shell(cases[i].rules);
		read_rules(w, &r);
		assert_true(r.n > 0);
		for (size_t j = 0; j < r.n; j++) {
			takes |= r.chains[j].nat_source;
			by = r.chains[j].nat_source ? r.chains[j].nat_by : by;
		}
		if (takes != cases[i].takes || strcmp(by, cases[i].by) != 0)
			fail_msg("%s: %d by %s", cases[i].rules, takes, by);
		nft_ruleset_clear(&r);
		nft_world_teardown(&w);
	}
}

static void test_generation(void **state)
{
	struct nft_world *w = *state;
	uint32_t before = 0, after = 0;

	assert_int_equal(nft_ruleset_generation(w->nl, &before, nullptr), 0);
	assert_int_equal(nft_ruleset_generation(w->nl, &after, nullptr), 0);
	assert_int_equal(before, after);
	assert_true(nft_world_tool("add table ip x"));
	assert_int_equal(nft_ruleset_generation(w->nl, &after, nullptr), 0);
	assert_int_not_equal(before, after);
}

static void test_by(void **state)
{
	static const struct {
		const char *table, *chain, *by;
	} cases[] = {
		{"filter", "DOCKER-USER", "docker"},
		{"filter", "DOCKER", "docker"},
		{"docker-bridges", "filter-FORWARD", "docker"},
		{"filter", "ufw-before-forward", "ufw"},
		{"filter", "ufw6-reject-forward", "ufw"},
		{"firewalld", "filter_FORWARD", "firewalld"},
		{"filter", "ts-forward", "tailscale"},
		{"filter", "KUBE-FORWARD", "kube"},
		{"filter", "LIBVIRT_FWI", "libvirt"},
		{"libvirt_network", "guest_input", "libvirt"},
		{"cloudflare-warp", "output", "warp"},
		{"meshgw", "forward", "meshgw"},
		{"meshgw_diag_3", "tcp", "meshgw"},
		{"netavark", "", "podman"},
		{"filter", "FORWARD", ""},
		{"", "", ""},
		{"my-DOCKER", "own", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(nft_by(cases[i].table, cases[i].chain), cases[i].by);
}

static void write_text(const char *dir, const char *name, const char *text, mode_t mode)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *out = fopen(path, "we");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	assert_int_equal(chmod(path, mode), 0);
}

/* What root's file says, and what is known without it. A file that cannot be opened stands for one
 * that may not be: a link to itself. */
static void test_legacy_files(void **state)
{
	static const struct {
		const char *names, *modules; /* nullptr = not there; "!" = may not be read */
		enum nft_legacy want;
		const char *tables;
	} cases[] = {
		{nullptr, "", NFT_LEGACY_NONE, ""},
		{"", "ip_tables 1 0 - Live\n", NFT_LEGACY_NONE, ""},
		{"nat\nfilter\n", "", NFT_LEGACY_PRESENT, "nat filter"},
		{"!", "ip_tables 36864 0 - Live 0x0\nx_tables 1 0\n", NFT_LEGACY_NONE, ""},
		{"!", "iptable_filter 1 0 - Live\nip_tables 36864 1 iptable_filter, Live\n",
			NFT_LEGACY_UNKNOWN, "filter"},
		{"!", "x_tables 1 0\n", NFT_LEGACY_UNKNOWN, ""},
		{"!", nullptr, NFT_LEGACY_UNKNOWN, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char dir[] = "/tmp/legacy.XXXXXX", names[NFT_LEGACY_LEN], path[64];

		assert_non_null(mkdtemp(dir));
		snprintf(path, sizeof(path), "%s/net", dir);
		assert_int_equal(mkdir(path, 0700), 0);
		if (cases[i].modules)
			write_text(dir, "modules", cases[i].modules, 0600);
		if (cases[i].names && cases[i].names[0] == '!') {
			snprintf(path, sizeof(path), "%s/net/ip_tables_names", dir);
			assert_int_equal(symlink("ip_tables_names", path), 0);
		} else if (cases[i].names) {
			write_text(dir, "net/ip_tables_names", cases[i].names, 0600);
		}
		assert_int_equal(nft_legacy_read(dir, AF_INET, names), cases[i].want);
		assert_string_equal(names, cases[i].tables);
		assert_int_equal(nft_legacy_read(dir, AF_INET6, names), NFT_LEGACY_NONE);
		snprintf(path, sizeof(path), "rm -r %s", dir);
		shell(path);
	}
}

static void test_legacy_kernel(void **state)
{
	char names[NFT_LEGACY_LEN];

	(void)state;
	assert_int_not_equal(nft_legacy_read("/proc", AF_INET, names), NFT_LEGACY_PRESENT);
	if (system("iptables-legacy -t mangle -L >/dev/null 2>&1") != 0 ||
		access("/proc/net/ip_tables_names", R_OK) < 0)
		skip();
	assert_int_equal(nft_legacy_read("/proc", AF_INET, names), NFT_LEGACY_PRESENT);
	assert_string_equal(names, "mangle");
}

#define KERNEL_TEST(f) cmocka_unit_test_setup_teardown(f, nft_world_setup, nft_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL_TEST(test_chains),
		cmocka_unit_test(test_source_nat),
		KERNEL_TEST(test_generation),
		cmocka_unit_test(test_by),
		cmocka_unit_test(test_legacy_files),
		KERNEL_TEST(test_legacy_kernel),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
