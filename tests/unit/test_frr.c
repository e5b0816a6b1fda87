/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of frr/ by tables, and that a model's own spelling is never changed. What FRR really
 * says and takes is in tests/golden/frr and in test_frr_real.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "frr/community.h"
#include "frr/diff.h"
#include "frr/output.h"
#include "frr/policy.h"
#include "frr/render.h"
#include "frr/show.h"
#include "frr_models.h"
#include "lib/marks.h"
#include "lib/own.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct frr_running running_of(const char *text)
{
	struct frr_running running;
	struct err err = {};
	if (frr_running_read(text, strlen(text), &running, &err) < 0)
		fail_msg("%s", err.msg);
	return running;
}

static struct prefix P(const char *text) {
	struct prefix p;
	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

/* ---- Texts ---- */

static void
test_texts(void **)
{
	static const struct {
		const char *text;
		bool line, word;
	} cases[] = {
		{"site router", true, false},
		{"a!b#c?d|e", true, true},
		{"a |b", true, false},
		{"", false, false},
		{" a", false, false},
		{"a ", false, false},
		{"a  b", false, false},
		{"a| b", false, false},
		{"a\tb", false, false},
		{"a\nb", false, false},
		{"caf\xc3\xa9", false, false},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(frr_line_ok(cases[i].text), cases[i].line);
		assert_int_equal(frr_word_ok(cases[i].text), cases[i].word);
	}
	char long_one[82];
	memset(long_one, 'x', 81);
	long_one[81] = '\0';
	assert_false(frr_password_ok(long_one));
	long_one[80] = '\0';
	assert_true(frr_password_ok(long_one));
	assert_false(frr_password_ok(""));
}

static void test_communities(void **)
{
	static char a[] = "65010:100", b[] = "no-export", c[] = "1:2", d[] = "65010:1:2",
		    e[] = "NO-export", f[] = "65536:1", g[] = "0:0:7", h[] = "1:2x",
		    k[] = "65535:666";
	char *list[] = {a, b, c, d, e, f, g, h, k};
	autofree char *plain = frr_communities_line(list, COUNT(list), false);
	autofree char *large = frr_communities_line(list, COUNT(list), true);
	assert_string_equal(plain, "1:2 65010:100 blackhole no-export");
	assert_string_equal(large, "0:0:7 65010:1:2");
	assert_null(frr_communities_line(list, 0, false));
	assert_null(frr_communities_line(list, 1, true));
}

static void test_script_hides_secrets(void **)
{
	struct frr_script script = {};
	char line[64];
	size_t len;
	frr_script_add(&script, (struct frr_mark){1, 2}, "neighbor %s", "10.0.1.1");
	frr_script_add_secret(&script, (struct frr_mark){3, 4}, " ", "password wh?t", 8);
	autofree char *shown = frr_script_text(&script, false, nullptr);
	autofree char *full = frr_script_text(&script, true, nullptr);
	autofree char *input = frr_script_input(&script, &len);
	assert_string_equal(shown, "neighbor 10.0.1.1\n password <hidden>\n");
	assert_string_equal(full, "neighbor 10.0.1.1\n password wh?t\n");
	assert_string_equal(input, "neighbor 10.0.1.1\n password wh\026?t\n");
	assert_int_equal(len, strlen(input));
	assert_string_equal(
		frr_line_str(&script.lines[1], line, sizeof(line)), " password <hidden>");
	assert_string_equal(frr_line_str(&script.lines[1], line, 5), " pas");
	frr_script_clear(&script);
	assert_int_equal(script.n, 0);
}

/* ---- The running configuration ---- */

static void test_running_refuses(void **)
{
	static const char *const cases[] = {"", "\n", "router bgp 1\n", "  end\n", "ended\n"};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct frr_running running;
		struct err err = {};
		assert_int_equal(
			frr_running_read(cases[i], strlen(cases[i]), &running, &err), -EINVAL);
		assert_int_equal(running.n, 0);
		assert_null(running.text);
		assert_int_equal(err.code, EINVAL);
	}
}

static void test_running_asn(void **)
{
	static const struct {
		const char *text;
		uint32_t asn;
	} cases[] = {
		{"router bgp 65010\nend", 65010},
		{"router bgp 4294967294\nend", 4294967294},
		{"router bgp 4294967296\nend", 0},
		{"router bgp 1.10 as-notation dot\nend", 65546},
		{"router bgp 65536.1\nend", 0},
		{"router bgp 1.2.3\nend", 0},
		{"router bgp x\nend", 0},
		{"router bgp 1 vrf red\nend", 0},
		{"router bgp 1 view red\nend", 0},
		{"router bgp 1 vrf red\nexit\n!\nrouter bgp 2\r\nend\r\n", 2},
		{" router bgp 5\nend", 0},
		{"end\nrouter bgp 5\n", 0},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct frr_running running = running_of(cases[i].text);
		assert_int_equal(running.asn, cases[i].asn);
		assert_int_equal(running.bgp != nullptr, cases[i].asn != 0);
		frr_running_clear(&running);
	}
}

/* What is ours in `router bgp 1`, one statement each. */
static void test_running_marks(void **)
{
	static const struct {
		const char *text;
		bool ours;
	} cases[] = {
		{"ip route 100.64.0.0/12 mesh0 tag 4294901867", true},
		{"ip route 100.64.0.0/12 mesh0 tag 4294901867 5", true},
		{"ipv6 route 2001:db8::/32 mesh0 tag 4294901867", true},
		{"ip route 100.64.0.0/12 mesh0 tag 429490186", false},
		{"ip route 100.64.0.0/12 mesh0 tag 4294901867 table 101", false},
		{"ip route 100.64.0.0/12 mesh0", false},
		{"ip route 100.64.0.0/12 mesh0 tag", false},
		{"ip prefix-list MESHGW-RANGES seq 5 permit any", true},
		{"ip prefix-list NOT-MESHGW seq 5 permit any", false},
		{"route-map MESHGW-NETWORK permit 10", true},
		{"route-map meshgw permit 10", false},
		{"route-map MESHGW-X permit 10\n match tag 1", true},
		{"bfd\n profile MESHGW-BFD-1\n  receive-interval 50", true},
		{"bfd\n profile X\n  receive-interval 50", false},
		{"bfd\n peer 10.0.0.1", false},
		{"router bgp 1\n neighbor 10.0.0.1 description meshgw", true},
		{"router bgp 1\n neighbor 10.0.0.1 description meshgw: a b", true},
		{"router bgp 1\n neighbor 10.0.0.1 description meshgwish", false},
		{"router bgp 1\n neighbor eth0 description meshgw", false},
		{"router bgp 1 vrf x\n neighbor 10.0.0.1 description meshgw", false},
		{"router bgp 1\n neighbor 10.0.0.1 description meshgw\n address-family ipv4 unicast\n"
		 "  no neighbor 10.0.0.1 activate",
			true},
		{"router bgp 1\n address-family ipv4 unicast\n  network 10.0.0.0/8", false},
		{"router bgp 1\n address-family ipv4 unicast\n"
		 "  network 10.0.0.0/8 route-map MESHGW-NETWORK",
			true},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		autofree char *text = nullptr;
		assert_true(asprintf(&text, "%s\n!\nend\n", cases[i].text) > 0);
		struct frr_running running = running_of(text);
		if (running.list[running.n - 1].ours != cases[i].ours)
			fail_msg("%s", cases[i].text);
		frr_running_clear(&running);
	}
}

static void test_running_confirm(void **)
{
	struct frr_running running = running_of("route-map MESHGW-A permit 10\n set tag 1\nexit\n"
						"ip prefix-list MESHGW-B seq 5 permit any\nend\n");
	static const char bgpd[] = "route-map MESHGW-A permit 10\nexit\nend\n";
	frr_running_confirm(&running, FRR_BGPD, bgpd, strlen(bgpd));
	frr_running_confirm(&running, FRR_MGMTD, "garbage", 7);
	assert_true(running.list[0].in_bgpd);
	assert_false(running.list[1].in_bgpd);
	assert_false(running.list[2].in_bgpd);
	for (size_t i = 0; i < running.n; i++)
		assert_true(running.list[i].in_mgmtd);
	frr_running_clear(&running);
}

/* ---- Policy ---- */

static void test_policy(void **)
{
	static const char config[] =
		"ip prefix-list TEN seq 5 permit 10.0.0.0/8 le 24\n"
		"ip prefix-list GE seq 5 deny 10.1.0.0/16\n"
		"ip prefix-list GE seq 10 permit 10.0.0.0/8 ge 16 le 20\n"
		"ip prefix-list GE seq 15 permit 11.0.0.0/8 ge 9\n"
		"ip prefix-list ANY seq 5 permit any\n"
		"ipv6 prefix-list ANY seq 5 permit any\n"
		"route-map ALL permit 10\nexit\n"
		"route-map TEN permit 10\n match ip address prefix-list TEN\nexit\n"
		"route-map NOTTEN deny 10\n match ip address prefix-list TEN\nexit\n"
		"route-map NOTTEN permit 20\nexit\n"
		"route-map BOTH permit 10\n match ip address prefix-list TEN\n"
		" match ip address prefix-list NONE\nexit\n"
		"route-map TAG permit 10\n match tag 5\nexit\n"
		"route-map NOTTAG deny 10\n match tag 5\nexit\n"
		"route-map V6 permit 10\n match ipv6 address prefix-list ANY\nexit\n"
		"route-map ACL permit 10\n match ip address FILTER\nexit\nend\n";
	static const struct {
		const char *list, *map, *prefix;
		bool passes;
	} cases[] = {
		{"TEN", nullptr, "10.9.0.0/16", true},
		{"TEN", nullptr, "10.9.0.0/25", false},
		{"TEN", nullptr, "11.0.0.0/8", false},
		{"GE", nullptr, "10.1.0.0/16", false},
		{"GE", nullptr, "10.1.0.0/17", true},
		{"GE", nullptr, "10.0.0.0/8", false},
		{"GE", nullptr, "10.2.0.0/21", false},
		{"GE", nullptr, "11.2.3.4/32", true},
		{"ANY", nullptr, "100.64.0.0/12", true},
		{"ANY", nullptr, "2001:db8::/32", true},
		{"NONE", nullptr, "100.64.0.0/12", false},
		{nullptr, "ALL", "100.64.0.0/12", true},
		{nullptr, "NONE", "100.64.0.0/12", false},
		{nullptr, "TEN", "10.9.0.0/16", true},
		{nullptr, "TEN", "100.64.0.0/12", false},
		{nullptr, "NOTTEN", "10.9.0.0/16", false},
		{nullptr, "NOTTEN", "100.64.0.0/12", true},
		{nullptr, "BOTH", "10.9.0.0/16", false},
		{nullptr, "TAG", "100.64.0.0/12", true},
		{nullptr, "NOTTAG", "100.64.0.0/12", false},
		{nullptr, "V6", "100.64.0.0/12", false},
		{nullptr, "V6", "2001:db8::/32", true},
		{nullptr, "ACL", "100.64.0.0/12", true},
		{nullptr, "ACL", "2001:db8::/32", false},
	};
	struct frr_running running = running_of(config);
	struct policy policy;
	policy_read(&running, &policy);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct prefix prefix = P(cases[i].prefix);
		bool got = cases[i].list
				   ? policy_prefix_list_passes(&policy, cases[i].list, &prefix)
				   : policy_route_map_passes(&policy, cases[i].map, &prefix);
		if (got != cases[i].passes)
			fail_msg("%zu: %s", i, cases[i].prefix);
	}
	policy_clear(&policy);
	frr_running_clear(&running);
}

/* ---- Differences ---- */

static struct frr_running rendered(const struct frr_model *model)
{
	struct frr_script script = {};
	frr_render(model, true, &script);
	frr_script_add(&script, (struct frr_mark){}, "end");
	autofree char *text = frr_script_text(&script, true, nullptr);
	frr_script_clear(&script);
	return running_of(text);
}

static size_t diff_lines(const struct frr_diff_input *input, const char *containing)
{
	struct frr_diff diff;
	size_t n = 0;
	frr_diff(input, &diff);
	for (size_t i = 0; i < diff.script.n; i++)
		n += strstr(diff.script.lines[i].text, containing) != nullptr;
	frr_diff_clear(&diff);
	return n;
}

/* A model that runs is left as it is, and every other one is changed into. */
static void test_diff_of_models(void **)
{
	for (size_t i = 0; i < FRR_MODELS; i++) {
		const struct frr_model *a = &frr_models()[i].model;
		struct frr_running running = rendered(a);
		for (size_t j = 0; j < FRR_MODELS; j++) {
			const struct frr_model *b = &frr_models()[j].model;
			struct frr_diff_input input = {
				.model = b, .running = &running, .created = {true, true}};
			size_t n = diff_lines(&input, "");
			bool same = i == j ||
				    (strcmp(frr_models()[i].name, "full") == 0 &&
					    (strcmp(frr_models()[j].name, "adopting") == 0 ||
						    strcmp(frr_models()[j].name, "consenting") ==
							    0));
			if (same && n)
				fail_msg("%s changes itself", frr_models()[i].name);
		}
		struct frr_diff_input down = {.running = &running, .created = {true, true}};
		assert_int_equal(diff_lines(&down, "no router bgp"), 1);
		frr_running_clear(&running);
	}
}

/* A password is in the script and in nothing that is shown of it. */
static void test_diff_hides_passwords(void **)
{
	struct frr_running running = running_of("router bgp 65010\n neighbor 10.0.1.1 remote-as 5\n"
						" neighbor 10.0.1.1 password theirs\nend\n");
	static const char *const models[] = {"full", "adopting", "changed"};
	for (size_t i = 0; i < COUNT(models); i++) {
		struct frr_diff diff;
		frr_diff(&(struct frr_diff_input){.model = frr_model(models[i]),
				 .running = &running},
			&diff);
		autofree char *shown = frr_script_text(&diff.script, false, nullptr);
		assert_null(strstr(shown, "theirs"));
		assert_null(strstr(shown, "s3c?ret"));
		assert_null(strstr(shown, "another"));
		for (size_t j = 0; j < diff.n_findings; j++)
			assert_null(strstr(diff.findings[j].text, "theirs"));
		frr_diff_clear(&diff);
	}
	frr_running_clear(&running);
}

/* One neighbour changes: no line names the other. */
static void test_diff_leaves_others_alone(void **)
{
	struct frr_running running = rendered(frr_model("full"));
	struct frr_model model = *frr_model("full");
	struct frr_neighbor neighbors[2] = {model.neighbors[0], model.neighbors[1]};
	neighbors[1].connect_s = 7;
	neighbors[1].password = "new";
	model.neighbors = neighbors;
	struct frr_diff_input input = {
		.model = &model, .running = &running, .created = {true, true}};
	assert_int_equal(diff_lines(&input, "10.0.1.1"), 0);
	assert_int_equal(diff_lines(&input, "neighbor 2001:db8:1::1 "), 2);
	frr_running_clear(&running);
}

static void test_diff_without_daemons(void **)
{
	struct frr_running running = running_of("end\n");
	struct frr_diff_input input = {.model = frr_model("full"), .running = &running};
	assert_int_equal(diff_lines(&input, "ip route "), 3);
	assert_int_equal(diff_lines(&input, "receive-interval"), 1);
	input.missing[FRR_MGMTD] = input.missing[FRR_BFDD] = true;
	assert_int_equal(diff_lines(&input, "ip route "), 0);
	assert_int_equal(diff_lines(&input, "ipv6 route "), 0);
	assert_int_equal(diff_lines(&input, "receive-interval"), 0);
	assert_int_equal(diff_lines(&input, "neighbor 10.0.1.1 bfd"), 2);
	input.missing[FRR_BGPD] = true;
	assert_int_equal(diff_lines(&input, "router bgp"), 0);
	frr_running_clear(&running);
}

/* After a head that is refused, an "exit" would end vtysh and lose the rest. */
static void test_diff_has_no_exit(void **)
{
	struct frr_running running = running_of("end\n");
	struct frr_diff diff;
	frr_diff(&(struct frr_diff_input){.model = frr_model("full"), .running = &running}, &diff);
	assert_true(diff.script.n > 50);
	for (size_t i = 0; i < diff.script.n; i++) {
		const char *text = diff.script.lines[i].text;
		assert_string_not_equal(text + strspn(text, " "), "exit");
	}
	frr_diff_clear(&diff);
	frr_running_clear(&running);
}

/* The line of the script with that text; the test fails when there is none. */
static size_t line_of(const struct frr_diff *diff, const char *text)
{
	for (size_t i = 0; i < diff->script.n; i++)
		if (strstr(diff->script.lines[i].text, text))
			return i;
	fail_msg("no line \"%s\"", text);
	return 0;
}

/* FRR would activate it at once, and what others added to our policies would stand. */
static void test_diff_policy_comes_first(void **)
{
	struct frr_running running = running_of("ip prefix-list MESHGW-RANGES seq 1 permit any\n"
						"route-map MESHGW-OUT-10.0.1.1 permit 5\nexit\n"
						"router bgp 65010\n no bgp ebgp-requires-policy\n"
						"exit\nend\n");
	struct frr_diff diff;
	frr_diff(&(struct frr_diff_input){.model = frr_model("plain"), .running = &running}, &diff);
	size_t made = line_of(&diff, " neighbor 10.0.1.1 remote-as");
	size_t held = line_of(&diff, "  no neighbor 10.0.1.1 activate");
	size_t policy = line_of(&diff, "  neighbor 10.0.1.1 route-map MESHGW-OUT-10.0.1.1 out");
	assert_int_equal(held, made + 2);
	assert_true(held < policy && policy < line_of(&diff, "  neighbor 10.0.1.1 activate"));
	assert_true(line_of(&diff, "no ip prefix-list MESHGW-RANGES seq 1 permit any") < made);
	assert_true(line_of(&diff, "no route-map MESHGW-OUT-10.0.1.1 permit 5") < made);
	frr_diff_clear(&diff);
	frr_running_clear(&running);
}

/* A family is left before its policy goes. */
static void test_diff_policy_goes_last(void **)
{
	static const char text[] = "router bgp 65010\n"
				   " neighbor 10.0.1.1 remote-as external\n"
				   " neighbor 10.0.1.1 description meshgw\n"
				   " address-family ipv4 unicast\n"
				   "  neighbor 10.0.1.1 route-map MESHGW-OUT-10.0.1.1 out\n"
				   " exit-address-family\nexit\nend\n";
	struct frr_running running = running_of(text);
	struct frr_model model = *frr_model("plain");
	struct frr_neighbor neighbor = model.neighbors[0];
	struct frr_diff diff;
	neighbor.ipv4 = false;
	neighbor.ipv6 = true;
	model.neighbors = &neighbor;
	model.n_neighbors = 1;
	frr_diff(&(struct frr_diff_input){.model = &model, .running = &running}, &diff);
	assert_true(line_of(&diff, "no neighbor 10.0.1.1 activate") <
		    line_of(&diff, "no neighbor 10.0.1.1 route-map MESHGW-OUT-10.0.1.1 out"));
	frr_diff_clear(&diff);
	frr_running_clear(&running);
}

/* Nor is a neighbour of ours active where others make that the default. */
static void test_diff_other_families(void **)
{
	struct frr_running running = running_of("router bgp 65010\n bgp default ipv4-vpn\n"
						" bgp default l2vpn-evpn\n"
						" bgp default ipv6-labeled-unicast\n"
						" bgp default show-hostname\nexit\nend\n");
	struct frr_diff diff;
	frr_diff(&(struct frr_diff_input){.model = frr_model("plain"), .running = &running}, &diff);
	assert_string_equal(diff.script.lines[line_of(&diff, "ipv4 vpn") + 1].text,
		"  no neighbor 10.0.1.1 activate");
	assert_string_equal(diff.script.lines[line_of(&diff, "l2vpn evpn") + 1].text,
		"  no neighbor 10.0.1.1 activate");
	assert_string_equal(diff.script.lines[line_of(&diff, "ipv6 labeled-unicast") + 1].text,
		"  no neighbor 10.0.1.1 activate");
	frr_diff_clear(&diff);
	frr_running_clear(&running);
}

/* Another instance stays, and the default one goes unless the other needs it. */
static void test_diff_other_instances(void **)
{
	static const struct {
		const char *says;
		size_t goes;
	} cases[] = {{"", 1}, {" address-family ipv4 unicast\n  redistribute static\n", 1},
		{" address-family ipv4 unicast\n  export vpn\n", 0},
		{" address-family l2vpn evpn\n  advertise ipv4 unicast\n", 0}};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[256];
		(void)snprintf(text, sizeof(text),
			"router bgp 65010\n no bgp default ipv4-unicast\nexit\n"
			"router bgp 65010 vrf red\n%sexit\nend\n",
			cases[i].says);
		struct frr_running running = running_of(text);
		struct frr_diff_input input = {.running = &running, .created = {.bgp = true}};
		assert_int_equal(diff_lines(&input, "no router bgp 65010"), cases[i].goes);
		assert_int_equal(diff_lines(&input, "red"), 0);
		frr_running_clear(&running);
	}
}

/* mgmtd restarted: what zebra still has is added first, or it cannot be removed. */
static void test_diff_forgotten_statics(void **)
{
	struct frr_running running = running_of("end\n");
	struct prefix installed[] = {P("100.64.0.0/12"), P("2606:4700:cf1:5000::/64")};
	struct frr_diff_input input = {.running = &running,
		.installed = installed,
		.n_installed = 2,
		.installed_interface = "mesh0"};
	struct frr_diff diff;
	frr_diff(&input, &diff);
	autofree char *text = frr_script_text(&diff.script, false, nullptr);
	assert_string_equal(text, "configure terminal\n"
				  "ip route 100.64.0.0/12 mesh0 tag 4294901867\n"
				  "no ip route 100.64.0.0/12 mesh0 tag 4294901867\n"
				  "ipv6 route 2606:4700:cf1:5000::/64 mesh0 tag 4294901867\n"
				  "no ipv6 route 2606:4700:cf1:5000::/64 mesh0 tag 4294901867\n"
				  "end\n");
	frr_diff_clear(&diff);
	frr_running_clear(&running);
}

/* bgpd restarted: zebra shows our policy, bgpd has none. It is written again, with the numbers that
 * zebra knows. */
static void test_diff_unconfirmed_policy(void **)
{
	struct frr_running running = rendered(frr_model("full"));
	struct frr_diff_input input = {
		.model = frr_model("full"), .running = &running, .created = {true, true}};
	frr_running_confirm(&running, FRR_BGPD, "end\n", 4);
	assert_int_equal(diff_lines(&input, "ip prefix-list MESHGW-RANGES seq 5 permit 100.64"), 1);
	assert_int_equal(diff_lines(&input, "route-map MESHGW-OUT-10.0.1.1 permit 10"), 1);
	assert_int_equal(diff_lines(&input, "set community 65010:100 no-export"), 2);
	assert_int_equal(diff_lines(&input, "no "), 0);
	input.model = nullptr;
	frr_running_confirm(&running, FRR_MGMTD, "end\n", 4);
	assert_int_equal(diff_lines(&input, "ip prefix-list MESHGW-RANGES seq 5 permit 100.64"), 2);
	frr_running_clear(&running);
}

/* ---- What vtysh prints ---- */

static void test_transcript(void **)
{
	struct frr_script script = {};
	struct frr_answer answers[3];
	static const char text[] = "\nHello\n\ngw# show one\n1\ngw# x\ngw# show two\n2\nb\ngw# \n";
	frr_script_add(&script, (struct frr_mark){}, "show one");
	frr_script_add(&script, (struct frr_mark){}, "show two");
	frr_script_add(&script, (struct frr_mark){}, "show three");
	frr_transcript_cut(&script, text, strlen(text), answers);
	assert_memory_equal(answers[0].text, "1\ngw# x\n", answers[0].len);
	assert_int_equal(answers[0].len, 8);
	assert_int_equal(answers[1].len, 4);
	assert_memory_equal(answers[1].text, "2\nb\n", 4);
	assert_null(answers[2].text);
	assert_ptr_equal(frr_transcript_find(&script, answers, "show two").text, answers[1].text);
	for (size_t n = 0; n < strlen(text); n++) /* cut off anywhere */
		frr_transcript_cut(&script, text, n, answers);
	frr_transcript_cut(&script, nullptr, 0, answers);
	assert_null(answers[0].text);
	frr_script_clear(&script);
}

static void test_output_hides_secrets(void **)
{
	struct frr_script script = {};
	struct frr_refusal refusals[2];
	static const char text[] = "gw(config-router)#  neighbor 1.2.3.4 password hunter2\n"
				   "% Unknown command:  neighbor 1.2.3.4 password hunter2\n"
				   "gw(config-router)# no network 10.0.0.0/8\n"
				   "% Can't find static route specified\n"
				   "gw(config-router)# network 10.0.0.0/33\n"
				   "% Can't\x1b[31m do\n\n  that\n"
				   "gw(config-router)# exit\n";
	frr_script_add_secret(
		&script, (struct frr_mark){7, 3}, " ", "neighbor 1.2.3.4 password hunter2", 25);
	frr_script_add(&script, (struct frr_mark){}, "no network 10.0.0.0/8");
	frr_script_add(&script, (struct frr_mark){8, 3}, "network 10.0.0.0/33");
	frr_script_add(&script, (struct frr_mark){}, "exit");
	assert_int_equal(frr_output_read(&script, text, strlen(text), refusals, 2), 2);
	assert_int_equal(refusals[0].line->mark.line, 7);
	assert_string_equal(refusals[0].text, "% Unknown command: neighbor 1.2.3.4 password");
	assert_int_equal(refusals[1].line->mark.line, 8);
	assert_string_equal(refusals[1].text, "% Can't\\x1b[31m do that");
	assert_int_equal(frr_output_read(&script, text, strlen(text), nullptr, 0), 2);
	frr_script_clear(&script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_communities),
		cmocka_unit_test(test_script_hides_secrets),
		cmocka_unit_test(test_running_refuses),
		cmocka_unit_test(test_running_asn),
		cmocka_unit_test(test_running_marks),
		cmocka_unit_test(test_running_confirm),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_diff_of_models),
		cmocka_unit_test(test_diff_hides_passwords),
		cmocka_unit_test(test_diff_leaves_others_alone),
		cmocka_unit_test(test_diff_without_daemons),
		cmocka_unit_test(test_diff_has_no_exit),
		cmocka_unit_test(test_diff_policy_comes_first),
		cmocka_unit_test(test_diff_policy_goes_last),
		cmocka_unit_test(test_diff_other_families),
		cmocka_unit_test(test_diff_other_instances),
		cmocka_unit_test(test_diff_forgotten_statics),
		cmocka_unit_test(test_diff_unconfirmed_policy),
		cmocka_unit_test(test_transcript),
		cmocka_unit_test(test_output_hides_secrets),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
