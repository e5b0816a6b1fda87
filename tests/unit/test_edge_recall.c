/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An edge whose former process knew somebody: what comes for its nodes while they are called back
 * waits, and is lost once, and freed, when they do not come.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hub.h"
#include "quic_identity.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/ip.h>
#include <sys/mman.h>
#include <unistd.h>

/* Calls and pauses take 1 s. */
constexpr uint64_t LIMIT_NS = 20'000'000'000;

struct edge_alone {
	sd_event *event;
	struct test_identity identity;
	struct pump *pump;
	struct quic_endpoint *endpoint;
	struct roll *roll;
	struct losses losses;
	struct hub *hub;
};

static void on_turned(void *, uint64_t)
{
}

static void on_changed(void *)
{
}

static const struct pump_events pump_events = {.turned = on_turned};
static const struct quic_events no_events = {};

static struct roll *open_roll(int fd)
{
	struct roll *r = nullptr;
	struct err err = {};

	assert_int_equal(roll_open(fcntl(fd, F_DUPFD_CLOEXEC, 3), &r, &err), 0);
	return r;
}

/* As a process leaves it that was killed with one connection. */
static struct roll *roll_of_former(void)
{
	struct quic_trace trace = {.id = {1, 2, 3}};
	int fd = memfd_create("roll", MFD_CLOEXEC);

	trace.path.local.in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(443)};
	trace.path.remote.in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(4433)};
	assert_int_equal(ftruncate(fd, 4096), 0);
	struct roll *former = open_roll(fd);
	assert_int_not_equal(roll_enter(former, &trace), ROLL_NONE);
	roll_close(former);
	struct roll *r = open_roll(fd);
	close(fd);
	return r;
}

static int setup(void **state)
{
	static struct prefix address[1];
	static struct tunnel_node node;
	static struct tunnel_config config;
	struct edge_alone *e = test_calloc(1, sizeof(*e));
	struct err err = {};

	assert_int_equal(prefix_parse("100.96.0.18/32", &address[0]), 0);
	node = (struct tunnel_node){.name = "site1", .addresses = {address, 1}};
	config = (struct tunnel_config){.role = TUNNEL_EDGE,
		.mtu = 1280,
		.edge = {.template = "", .nodes = &node, .n_nodes = 1}};
	test_identity_make(&e->identity, "ED25519", "edge.mesh");
	const struct quic_config quic = {.accept = true,
		.identity = {.certificate = e->identity.certificate,
			.key = e->identity.key,
			.pins = e->identity.pin,
			.n_pins = 1}};
	assert_true(sd_event_new(&e->event) >= 0);
	e->pump = pump_new(e->event, false, &pump_events);
	if (quic_endpoint_new(&e->endpoint, &quic, &no_events, e, pump_now_ns(), &err) < 0)
		fail_msg("%s", err.msg);
	pump_set_endpoint(e->pump, e->endpoint);
	e->roll = roll_of_former();
	const struct role_host host = {.event = e->event,
		.config = &config,
		.pump = e->pump,
		.endpoint = e->endpoint,
		.roll = e->roll,
		.losses = &e->losses,
		.changed = on_changed};
	e->hub = edge_role.start(&host);
	*state = e;
	return 0;
}

static int teardown(void **state)
{
	struct edge_alone *e = *state;

	edge_role.stop(e->hub);
	roll_close(e->roll);
	pump_free(e->pump);
	sd_event_unref(e->event);
	test_identity_clear(&e->identity);
	test_free(e);
	return 0;
}

/* Was it taken? */
static bool comes(struct edge_alone *e, const char *to)
{
	struct iphdr head = {.version = 4, .ihl = 5};
	static const uint8_t payload[1000];
	const struct packet_bytes packet = {
		(const uint8_t *)&head, sizeof(head), payload, sizeof(payload)};
	bool taken = false;

	assert_int_equal(inet_pton(AF_INET, to, &head.daddr), 1);
	assert_null(edge_role.find(e->hub, &packet, pump_now_ns(), &taken));
	return taken;
}

static void wait_for_the_end(struct edge_alone *e)
{
	uint64_t limit = pump_now_ns() + LIMIT_NS;

	while (!recall_is_over(e->hub->recall)) {
		assert_true(sd_event_run(e->event, 1'000'000) >= 0);
		assert_true(pump_now_ns() < limit);
	}
}

static void test_nobody_comes(void **state)
{
	struct edge_alone *e = *state;

	assert_false(comes(e, "100.96.0.99")); /* whom nobody knows */
	for (int i = 0; i < 3; i++)
		assert_true(comes(e, "100.96.0.18"));
	assert_int_equal(
		e->losses.no_peer, 0); /* not yet, and what is not taken is not its affair */
	assert_non_null(e->hub->waiting.bytes);
	wait_for_the_end(e);
	assert_null(e->hub->waiting.bytes);
	assert_int_equal(e->losses.no_peer, 3);
	assert_int_equal(e->losses.full, 0);
	assert_false(comes(e, "100.96.0.18"));
	assert_null(e->hub->waiting.bytes);
}

static void test_too_many_wait(void **state)
{
	struct edge_alone *e = *state;
	unsigned n = 0;

	for (; e->losses.full < 7; n++)
		assert_true(comes(e, "100.96.0.18"));
	assert_in_range(n, 7 + 100, 7 + WAITING_MAX / 1000);
	wait_for_the_end(e);
	assert_int_equal(e->losses.no_peer, n - 7);
	assert_int_equal(e->losses.full, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nobody_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_wait, setup, teardown),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
