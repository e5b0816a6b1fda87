/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tunnel says to meshgwd: what becomes of a proposal, what of a report is shown, and which
 * of its troubles are conditions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tunnel_site.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PEERS "\"peers\":[]"
#define EDGE_OF(node) PEERS ",\"edge\":{\"nodes\":[" node "]}"
#define NODE(rest) "{\"name\":\"n\",\"leases\":[],\"replicas\":[]" rest "}"

static void test_propose(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};

	site_configure(s, SITE_CONNECTOR(", addresses: [100.96.0.7]"));
	assert_true(site_has_address(s, "own0", "100.96.0.7"));
	site_call(s, "TunnelPropose",
		",\"parameters\":{\"generation\":1,\"addresses\":[\"100.96.0.18/32\",\"10.0.1.5/32\"],"
		"\"routes\":[\"100.64.0.0/12\",\"0.0.0.0/0\"]}");
	assert_true(site_receive(s, &r));
	assert_string_equal(r.error, "");
	assert_int_equal(
		sd_json_variant_elements(sd_json_variant_by_key(r.parameters, "addresses")), 2);
	assert_int_equal(
		sd_json_variant_elements(sd_json_variant_by_key(r.parameters, "routes")), 1);
	assert_int_equal(
		sd_json_variant_elements(sd_json_variant_by_key(r.parameters, "refused")), 2);
	assert_true(site_has_address(s, "own0", "100.96.0.7"));
	assert_true(site_has_address(s, "own0", "100.96.0.18"));
	assert_false(site_has_address(s, "own0", "10.0.1.5"));
	assert_true(site_has_condition(s, COND_TUNNEL_PROPOSAL_REFUSED, "0.0.0.0/0"));
	assert_true(s->changes > 0);
	client_reply_clear(&r);
}

/* The tunnel is not told of most changes: what it proposed is judged by the next configuration. */
static void test_judged_again(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};
	const struct tunnel_verdict *verdict = tunnel_view(s->context.tunnel).verdict;

	site_configure(s, SITE_CONNECTOR(""));
	uint64_t told = tunnel_view(s->context.tunnel).generation;
	site_call(s, "TunnelPropose",
		",\"parameters\":{\"generation\":1,\"addresses\":[\"100.96.0.18/32\"],"
		"\"routes\":[\"100.64.0.0/12\"]}");
	assert_true(site_receive(s, &r));
	site_configure(s, SITE_CONNECTOR(""));
	assert_int_equal(tunnel_view(s->context.tunnel).generation, told);
	assert_int_equal(verdict->n_addresses, 1);
	assert_int_equal(verdict->n_routes, 1);
	assert_true(site_has_address(s, "own0", "100.96.0.18"));

	site_configure(s, SITE_CONNECTOR(", accept: {addresses: [100.96.1.0/24]}"));
	assert_int_equal(verdict->n_addresses, 0);
	assert_int_equal(verdict->n_refused, 1);
	site_configure(s, SITE_EDGE);
	assert_int_equal(verdict->n_refused, 0);
	client_reply_clear(&r);
}

static void look_again(struct site *s)
{
	gateway_mark(&s->w.gateway, DIRTY_ALL);
	world_run(&s->w, 0);
	tunnel_step(s->context.tunnel);
}

/* A network that this host comes to stand in is no edge's; when it has left that, it may be. */
static void test_networks_near(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};
	const struct tunnel_verdict *verdict = tunnel_view(s->context.tunnel).verdict;

	site_configure(s, SITE_CONNECTOR(""));
	site_call(s, "TunnelPropose",
		",\"parameters\":{\"generation\":1,\"addresses\":[\"100.97.0.5/32\"],"
		"\"routes\":[\"100.96.0.0/12\"]}");
	assert_true(site_receive(s, &r));
	client_reply_clear(&r);
	look_again(s);
	assert_int_equal(verdict->n_addresses, 1);

	assert_int_equal(dummy_load(s->w.kernel, "link 77 mgmt0 up mtu 1500\n"
						 "address 77 100.97.0.1/24\n"),
		0);
	look_again(s);
	assert_true(site_has_condition(s, COND_TUNNEL_PROPOSAL_REFUSED, "100.97.0.5/32"));
	assert_int_equal(verdict->n_addresses, 0);
	assert_int_equal(verdict->n_routes, 0);

	dummy_unaddress(s->w.kernel, 77, "100.97.0.1");
	look_again(s);
	assert_false(site_has_condition(s, COND_TUNNEL_PROPOSAL_REFUSED, "100.97.0.5/32"));
	assert_int_equal(verdict->n_addresses, 1);
	assert_int_equal(verdict->n_routes, 1);
}

static const char *const mad[] = {
	"",
	",\"parameters\":{\"generation\":1,\"addresses\":[],\"routes\":[7]}",
	",\"parameters\":{\"generation\":1,\"addresses\":[\"100.96.0.18/33\"],\"routes\":[]}",
	",\"parameters\":{\"generation\":1,\"addresses\":[\"100.96.0.18/24\"],\"routes\":[]}",
	",\"parameters\":{\"generation\":1,\"addresses\":{},\"routes\":[]}",
};

static void test_mad_proposals(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};

	site_configure(s, SITE_CONNECTOR(""));
	for (size_t i = 0; i < sizeof(mad) / sizeof(mad[0]); i++) {
		site_call(s, "TunnelPropose", mad[i]);
		assert_true(site_receive(s, &r));
		assert_string_equal(r.error, "org.varlink.service.InvalidParameter");
	}
	site_configure(s, SITE_EDGE);
	site_call(s, "TunnelPropose",
		",\"parameters\":{\"generation\":1,\"addresses\":[],\"routes\":[]}");
	assert_true(site_receive(s, &r));
	assert_string_equal(r.error, "io.meshgw.Gateway.NotConfigured");
	client_reply_clear(&r);
}

/* What is reported is shown, made safe, and forgotten when the tunnel goes. */
static void test_report(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};

	site_configure(s, SITE_EDGE);
	site_call(s, "TunnelAttach", ",\"more\":true");
	assert_true(site_receive(s, &r));
	int attached = site_become(s, SERVER_TUNNEL);
	site_report(s,
		"\"peers\":[{\"node\":\"n\\n\",\"open\":true,\"active\":true,"
		"\"group\":\"X25519MLKEM768\",\"new\":1,\"packets\":{\"in\":7}}]",
		"");
	const struct tunnel_report *report = tunnel_view(s->context.tunnel).report;
	assert_int_equal(report->n_peers, 1);
	assert_string_equal(report->peers[0].node, "n\\n");
	assert_true(report->peers[0].open);
	assert_int_equal(report->peers[0].in, 7);

	close(attached);
	client_serve(s->event);
	assert_int_equal(tunnel_view(s->context.tunnel).report->n_peers, 0);
	client_reply_clear(&r);
}

static const char *const mad_reports[] = {
	"\"counters\":{}",
	PEERS ",\"counters\":{\"a\":-1}",
	PEERS ",\"counters\":{\"a\\n\":1}",
	PEERS ",\"edge\":{}",
	EDGE_OF("7"),
	EDGE_OF("{\"name\":\"n\",\"replicas\":[]}"),
	EDGE_OF("{\"name\":\"n\",\"leases\":[\"10.0.0.1\",\"10.0.0.2\",\"10.0.0.3\"],\"replicas\":[]}"),
	EDGE_OF("{\"name\":\"n\",\"leases\":[\"x\"],\"replicas\":[]}"),
	EDGE_OF(NODE("") "," NODE(",\"active\":1")),
	EDGE_OF("{\"name\":\"n\",\"leases\":[],\"replicas\":[{\"name\":\"r\"}]}"),
};

static void test_mad_reports(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};

	site_configure(s, SITE_EDGE);
	for (size_t i = 0; i < sizeof(mad_reports) / sizeof(mad_reports[0]); i++) {
		char text[512];
		snprintf(text, sizeof(text), ",\"parameters\":{\"generation\":1,\"tunnel\":{%s}}",
			mad_reports[i]);
		site_call(s, "TunnelReport", text);
		assert_true(site_receive(s, &r));
		assert_string_equal(r.error, "org.varlink.service.InvalidParameter");
	}
	assert_int_equal(tunnel_view(s->context.tunnel).report->n_nodes, 0);
	client_reply_clear(&r);
}

/* What the tunnel suffers is a condition; what is not known here, or has another form, is none. */
static void test_troubles(void **state)
{
	struct site *s = *state;
	struct conditions set = {};

	site_configure(s, SITE_EDGE);
	site_report(s,
		PEERS ",\"troubles\":["
		      "{\"kind\":\"flooded\",\"who\":\"\",\"text\":\"9\"},7,{\"kind\":3},"
		      "{\"kind\":\"breach\",\"who\":\"n\\n\",\"text\":\"\\u001b[2J\"},"
		      "{\"kind\":\"unheard-of\",\"who\":\"n\",\"text\":\"t\"}]",
		"");
	tunnel_health(s->context.tunnel, &set);
	const struct condition *flood = nullptr, *breach = nullptr;
	for (size_t i = 0; i < set.n; i++) {
		const struct condition *c = &set.list[i];
		flood = c->code == COND_TUNNEL_FLOODED ? c : flood;
		breach = c->code == COND_TUNNEL_PEER_BREACH ? c : breach;
	}
	assert_non_null(flood);
	assert_string_equal(flood->subject, "own0");
	assert_string_equal(flood->message, "9");
	assert_non_null(breach);
	assert_string_equal(breach->subject, "n\\n");
	assert_string_equal(breach->message, "\\x1b[2J");
	conditions_clear(&set);
}

/* The message, "" if the condition does not stand. Good until the next. */
static const char *stands(struct site *s, enum condition_code code)
{
	static char message[240];
	struct conditions set = {};

	message[0] = '\0';
	tunnel_health(s->context.tunnel, &set);
	for (size_t i = 0; i < set.n; i++)
		if (set.list[i].code == code)
			memcpy(message, set.list[i].message, sizeof(message));
	conditions_clear(&set);
	return message;
}

/* Why a connector has no edge, or none that is of use: each reason has a condition of its own. */
static void test_edge_troubles(void **state)
{
	static const struct {
		const char *kind;
		enum condition_code code;
	} cases[] = {
		{"unreached", COND_TUNNEL_EDGE_UNREACHED},
		{"strange", COND_TUNNEL_EDGE_UNTRUSTED},
		{"invalid", COND_TUNNEL_EDGE_CERTIFICATE},
		{"unwelcome", COND_TUNNEL_CERTIFICATE_REFUSED},
		{"refused", COND_TUNNEL_REQUEST_REFUSED},
	};
	struct site *s = *state;
	struct client_reply r = {};
	char tunnel[256];

	site_configure(s, SITE_CONNECTOR(""));
	site_call(s, "TunnelAttach", ",\"more\":true");
	assert_true(site_receive(s, &r));
	client_reply_clear(&r);
	int attached = site_become(s, SERVER_TUNNEL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(tunnel, sizeof(tunnel),
			PEERS ",\"connector\":{\"state\":\"waiting\",\"error\":\"e%zu\"},"
			      "\"troubles\":[{\"kind\":\"%s\",\"who\":\"w\",\"text\":\"t%zu\"}]",
			i, cases[i].kind, i);
		site_report(s, tunnel, "");
		const char want[] = {'t', (char)('0' + i), '\0'};
		assert_string_equal(stands(s, cases[i].code), want);
		assert_non_null(strstr(stands(s, COND_TUNNEL_DISCONNECTED), ": e"));
	}
	site_report(s,
		"\"peers\":[{\"open\":true,\"active\":true,\"seconds\":1,\"address\":\"w\"}]", "");
	assert_string_equal(stands(s, COND_TUNNEL_DISCONNECTED), "");
	assert_string_equal(stands(s, COND_TUNNEL_NO_ADDRESS), "");
	site_report(s,
		"\"peers\":[{\"open\":true,\"active\":true,\"seconds\":5,\"address\":\"w\"}]", "");
	assert_non_null(strstr(stands(s, COND_TUNNEL_NO_ADDRESS), "w is connected"));
	close(attached);
}

static const char *const mad_problems[] = {
	"7",
	"{\"text\":\"t\"}",
	"{\"stands\":1,\"text\":\"t\"}",
	"{\"stands\":true,\"text\":7}",
};

static void report_problem(struct site *s, const char *rest)
{
	char tunnel[256];

	snprintf(tunnel, sizeof(tunnel), PEERS ",\"problem\":{%s}", rest);
	site_report(s, tunnel, "");
}

/* That a pair of files is none, or that OpenSSL refuses one, only meshgw-tunnel finds out. Whether
 * the former are used on or there is no tunnel is said, of either role; until it reports well. */
static void check_problem(struct site *s)
{
	const char *mismatch = "\"file\":\"certificate\",\"text\":\"no pair\\n\",\"stands\":";
	char rest[128];

	snprintf(rest, sizeof(rest), "%strue", mismatch);
	report_problem(s, rest);
	assert_true(site_has_condition(s, COND_TUNNEL_FILE_UNUSABLE, s->certificate));
	assert_non_null(
		strstr(stands(s, COND_TUNNEL_FILE_UNUSABLE), "no pair\\n; the former are used on"));
	assert_string_equal(stands(s, COND_TUNNEL_NOT_BEGUN), "");

	snprintf(rest, sizeof(rest), "%sfalse", mismatch);
	report_problem(s, rest);
	assert_string_equal(stands(s, COND_TUNNEL_FILE_UNUSABLE), "no pair\\n");
	assert_string_equal(stands(s, COND_TUNNEL_NOT_BEGUN), "there is no tunnel: no pair\\n");
	assert_true(site_has_condition(s, COND_TUNNEL_NOT_BEGUN, s->certificate));

	/* No file's fault; or of one that the configuration does not name. */
	report_problem(s, "\"text\":\"no device\",\"stands\":false");
	assert_string_equal(stands(s, COND_TUNNEL_NOT_BEGUN), "there is no tunnel: no device");
	assert_string_equal(stands(s, COND_TUNNEL_FILE_UNUSABLE), "");
	report_problem(s, "\"file\":\"ca\",\"text\":\"t\",\"stands\":true");
	assert_string_equal(stands(s, COND_TUNNEL_FILE_UNUSABLE), "");

	site_report(s, PEERS, "");
	assert_string_equal(stands(s, COND_TUNNEL_NOT_BEGUN), "");
}

static void test_problem(void **state)
{
	struct site *s = *state;
	char role[256];

	site_configure(s, SITE_EDGE);
	check_problem(s);
	site_configure(s, SITE_CONNECTOR(""));
	check_problem(s);

	snprintf(role, sizeof(role),
		"connector: {edges: [\"198.51.100.1:443\"], peer: {ca_file: %s}}", s->certificate);
	site_configure(s, role);
	report_problem(s, "\"file\":\"ca\",\"text\":\"t\",\"stands\":false");
	assert_true(site_has_condition(s, COND_TUNNEL_FILE_UNUSABLE, s->certificate));
	for (size_t i = 0; i < sizeof(mad_problems) / sizeof(mad_problems[0]); i++) {
		struct client_reply r = {};
		char text[160];
		snprintf(text, sizeof(text),
			",\"parameters\":{\"generation\":1,\"tunnel\":{" PEERS ",\"problem\":%s}}",
			mad_problems[i]);
		site_call(s, "TunnelReport", text);
		assert_true(site_receive(s, &r));
		assert_string_equal(r.error, "org.varlink.service.InvalidParameter");
		client_reply_clear(&r);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_propose),
		TEST(test_judged_again),
		TEST(test_networks_near),
		TEST(test_mad_proposals),
		TEST(test_report),
		TEST(test_mad_reports),
		TEST(test_troubles),
		TEST(test_edge_troubles),
		TEST(test_problem),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
