/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What meshgwd tells the HTTP bridge on the socket that is its own: its section, the addresses of
 * its upstreams, its files; and what the bridge reports.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge_site.h"
#include "daemon/bridge_names.h"
#include "daemon/clock.h"
#include "lib/own.h"
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- attaching ---- */

static void test_attach(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};
	autoclose int fd = site_connect(s);

	client_call(fd, "BridgeAttach", ",\"more\":true");
	assert_true(site_receive(s, fd, &r));
	assert_null(sd_json_variant_by_key(r.parameters, "bridge"));
	assert_int_equal(r.n_fds, 0);
	uint64_t before = site_generation(&r);

	site_configure(s, "{listen: [%u], " SITE_ROUTES "}", s->port);
	assert_true(site_receive(s, fd, &r));
	assert_true(site_generation(&r) > before);
	before = site_generation(&r);
	assert_non_null(sd_json_variant_by_key(r.parameters, "bridge"));
	assert_int_equal(r.n_fds, 1);
	assert_int_equal(site_count_addresses(&r), 1);
	assert_true(bridge_view(s->context.bridge).attached);

	/* The same once more is no news, another route is. */
	site_configure(s, "{listen: [%u], " SITE_ROUTES "}", s->port);
	assert_false(site_receive(s, fd, &r));
	site_configure(s, "{listen: [%u], threads: 2, " SITE_ROUTES "}", s->port);
	assert_true(site_receive(s, fd, &r));
	assert_int_equal(site_generation(&r), before + 1);
	assert_int_equal(r.n_fds, 1);

	/* Everything went: that is told as well. */
	world_enter(&s->w, world_masquerade);
	bridge_step(s->context.bridge);
	assert_true(site_receive(s, fd, &r));
	assert_null(sd_json_variant_by_key(r.parameters, "bridge"));
	assert_int_equal(r.n_fds, 0);
	client_reply_clear(&r);
	close(fd_take(&fd));
	client_serve(s->event);
	assert_false(bridge_view(s->context.bridge).attached);
}

/* The descriptor is that of the socket itself: what came while nobody accepted is there. */
static void test_queue_waits(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_port = htons(s->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	autoclose int client = socket(AF_INET, SOCK_STREAM, 0);

	site_configure(s, "{listen: [\"127.0.0.1:%u\"], " SITE_ROUTES "}", s->port);
	assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(send(client, "x", 1, 0), 1);
	autoclose int fd = site_connect(s);
	client_call(fd, "BridgeAttach", "");
	assert_true(site_receive(s, fd, &r));
	assert_int_equal(r.n_fds, 1);
	assert_int_equal(fcntl(r.fds[0], F_SETFL, 0), 0);
	autoclose int accepted = accept(r.fds[0], nullptr, nullptr);
	char byte = 0;
	assert_int_equal(recv(accepted, &byte, 1, 0), 1);
	assert_int_equal(byte, 'x');
	client_reply_clear(&r);
}

/* The bridge says what it does with it. */
static void test_report(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};
	autoclose int attached = site_connect(s), fd = site_connect(s);

	client_call(attached, "BridgeAttach", ",\"more\":true");
	site_configure(s, "{listen: [%u], " SITE_ROUTES "}", s->port);
	assert_true(site_receive(s, attached, &r));
	assert_null(bridge_view(s->context.bridge).served);
	client_call(fd, "BridgeReport", ",\"parameters\":{\"generation\":7}");
	assert_string_equal(site_hear(s, fd, 5), "{\"parameters\":{}}");
	assert_int_equal(*bridge_view(s->context.bridge).served, 7);
	assert_false(site_has_condition(s, COND_BRIDGE_CONFIG_REFUSED, BRIDGE_USER));

	client_call(fd, "BridgeReport",
		",\"parameters\":{\"generation\":8,\"refusal\":\"bridge.routes: no\\u001b\"}");
	(void)site_hear(s, fd, 5);
	assert_string_equal(bridge_view(s->context.bridge).refusal, "bridge.routes: no\\x1b");
	assert_int_equal(*bridge_view(s->context.bridge).served, 7);
	assert_true(site_has_condition(s, COND_BRIDGE_CONFIG_REFUSED, BRIDGE_USER));
	client_call(fd, "BridgeReport", ",\"parameters\":{\"generation\":9,\"refusal\":null}");
	(void)site_hear(s, fd, 5);
	assert_false(site_has_condition(s, COND_BRIDGE_CONFIG_REFUSED, BRIDGE_USER));

	/* With the bridge goes what it said. */
	close(fd_take(&attached));
	client_serve(s->event);
	assert_null(bridge_view(s->context.bridge).served);
	client_reply_clear(&r);
}

/* One that does not read is told only the newest. */
static void test_slow_reader(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};
	autoclose int fd = site_connect(s);

	client_call(fd, "BridgeAttach", ",\"more\":true");
	assert_true(site_receive(s, fd, &r));
	for (unsigned threads = 1; threads <= 20; threads++) {
		site_configure(s, "{listen: [%u], threads: %u, " SITE_ROUTES "}", s->port, threads);
		client_serve(s->event);
	}
	unsigned messages = 0;
	uint64_t last = 0;
	while (site_receive(s, fd, &r)) {
		messages++;
		last = site_generation(&r);
		bridge_step(s->context.bridge);
	}
	assert_true(messages <= 3);
	assert_int_equal(last, bridge_view(s->context.bridge).generation);
	client_reply_clear(&r);
}

static void test_methods(void **state)
{
	static const char *const refused[] = {"Plan", "Apply", "Confirm", "Undo", "Down",
		"Diagnose", "Recall", "Doctor", "Fix", "Follow"};
	struct site *s = *state;
	char text[65536];

	for (size_t i = 0; i < COUNT(refused); i++) {
		autoclose int fd = site_connect(s);
		client_call(fd, refused[i], "");
		client_read(s->event, fd, text, sizeof(text));
		assert_non_null(strstr(text, "org.varlink.service.MethodNotFound"));
	}
	autoclose int fd = site_connect(s);
	client_call(fd, "GetStatus", "");
	client_read(s->event, fd, text, sizeof(text));
	assert_non_null(strstr(text, "\"phase\""));
	for (enum server_socket which = SERVER_STATUS; which <= SERVER_CONTROL; which++) {
		autoclose int other = client_connect(s->server, which);
		client_call(other, "BridgeAttach", "");
		client_read(s->event, other, text, sizeof(text));
		assert_non_null(strstr(text, "org.varlink.service.MethodNotFound"));
	}
}

/* ---- names ---- */

static void wait_for_questions(struct site *s, unsigned n)
{
	uint64_t deadline = clock_monotonic_us() + 10 * WORLD_SECOND;

	while (s->questions < n && clock_monotonic_us() < deadline)
		(void)sd_event_run(s->event, 100'000);
	assert_true(s->questions >= n);
	client_serve(s->event);
}

static void test_names(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};
	autoclose int fd = site_connect(s);

	s->addresses = "[\"10.0.1.70\",\"10.0.1.71\",\"10.0.1.70\",\"192.0.2.1\",\"x\"]";
	client_call(fd, "BridgeAttach", ",\"more\":true");
	site_configure(
		s, "{listen: [%u], routes: [{host: a, upstream: http://app.internal}]}", s->port);
	wait_for_questions(s, 1);
	assert_int_equal(s->changes, 1);
	do
		assert_true(site_receive(s, fd, &r));
	while (site_generation(&r) < bridge_view(s->context.bridge).generation);
	assert_int_equal(site_count_addresses(&r), 2);
	assert_false(site_has_condition(s, COND_BRIDGE_NAME_UNUSABLE, "app.internal"));
	/* Asked for again, and until then what was known holds. */
	s->addresses = "[\"10.0.1.72\"]";
	site_configure(
		s, "{listen: [%u], routes: [{host: b, upstream: http://app.internal}]}", s->port);
	assert_true(site_receive(s, fd, &r));
	assert_int_equal(site_count_addresses(&r), 2);
	wait_for_questions(s, 2);
	assert_true(site_receive(s, fd, &r));
	assert_int_equal(site_count_addresses(&r), 1);
	client_reply_clear(&r);
}

static void test_name_astray(void **state)
{
	struct site *s = *state;

	s->addresses = "[\"127.0.0.1\",\"192.0.2.1\"]";
	site_configure(
		s, "{listen: [%u], routes: [{host: a, upstream: http://app.internal}]}", s->port);
	assert_false(site_has_condition(s, COND_BRIDGE_NAME_UNUSABLE, "app.internal"));
	wait_for_questions(s, 1);
	assert_int_equal(s->changes, 0);
	assert_true(site_has_condition(s, COND_BRIDGE_NAME_UNUSABLE, "app.internal"));
}

static void test_name_may_be(void **)
{
	static const struct {
		const char *address;
		bool may;
	} cases[] = {
		{"10.0.1.50", true},
		{"10.9.1.1", true},
		{"2001:db8:1::50", true},
		{"10.0.2.50", false},
		{"10.0.1.11", false}, /* the gateway's own */
		{"127.0.0.1", false},
		{"::1", false},
		{"169.254.169.254", false},
		{"fe80::1", false},
		{"fd00:ec2::254", false},
		{"100.100.100.200", false},
		{"192.0.0.192", false},
		{"100.64.0.1", false},
		{"100.96.0.2", false},
		{"224.0.0.1", false},
		{"0.0.0.0", false},
		{"8.8.8.8", false},
	};
	struct config *config = world_config(
		"lan: [{interface: eth0, networks: [10.0.1.0/24, "
		"\"2001:db8:1::/64\"]}]\n"
		"bridge: {listen: [80], upstream_networks: [10.9.0.0/16, "
		"\"fd00:ec2::/32\", 192.0.0.0/24], " SITE_ROUTES "}\n");
	struct ifaddr_entry own = {.ifindex = 2, .prefix_len = 24};
	struct observed seen = {.addresses = {&own, 1}};

	assert_int_equal(addr_parse("10.0.1.11", &own.address), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct addr a;
		assert_int_equal(addr_parse(cases[i].address, &a), 0);
		if (bridge_name_may_be(config, &seen, &a) != cases[i].may)
			fail_msg("%s", cases[i].address);
	}
	config_free(config);
}

/* ---- files ---- */

static void test_unusable_file(void **state)
{
	struct site *s = *state;

	site_configure(s,
		"{listen: [%u], routes: [{host: a, upstream: \"http://10.0.1.50\", "
		"token_files: [/nowhere]}]}",
		s->port);
	assert_true(site_has_condition(s, COND_BRIDGE_FILE_UNUSABLE, "/nowhere"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_attach),
		TEST(test_queue_waits),
		TEST(test_report),
		TEST(test_slow_reader),
		TEST(test_methods),
		TEST(test_names),
		TEST(test_name_astray),
		cmocka_unit_test(test_name_may_be),
		TEST(test_unusable_file),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
