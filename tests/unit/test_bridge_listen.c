/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets that meshgwd opens for the HTTP bridge: they follow the addresses of the mesh
 * interface.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge_site.h"
#include "lib/own.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

static void assert_listens(const struct site *s, size_t i, const char *address)
{
	char name[BRIDGE_LISTENER_STRLEN], want[64];
	int value = 0;
	socklen_t len = sizeof(value);

	snprintf(want, sizeof(want), "%s:%u", address, s->port);
	assert_true(i < site_listeners(s)->n);
	const struct bridge_listener *l = &site_listeners(s)->list[i];
	assert_string_equal(bridge_listener_str(l, name), want);
	assert_int_equal(l->error, 0);
	assert_int_equal(getsockopt(l->fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len), 0);
	assert_int_equal(value, 1);
	assert_int_equal(getsockopt(l->fd, IPPROTO_TCP, 9 /* TCP_DEFER_ACCEPT */, &value, &len), 0);
	assert_true(value > 0);
}

/* Sockets come and go with the addresses of the mesh interface, and only with those. */
static void test_addresses(void **state)
{
	struct site *s = *state;

	site_configure(s, "{listen: [%u, \"192.0.2.1:%u\"], " SITE_ROUTES "}", s->port, s->port);
	assert_int_equal(site_listeners(s)->n, 2);
	assert_listens(s, 0, "100.96.0.18");
	assert_listens(s, 1, "192.0.2.1"); /* which the host does not have */

	assert_int_equal(dummy_load(s->w.kernel, "address 3 2606:4700:cf1:1000::12/128\n"
						 "address 3 fe80::1/64\naddress 2 10.0.1.99/24\n"),
		0);
	gateway_doubt(&s->w.gateway);
	world_run(&s->w, WORLD_SECOND);
	bridge_step(s->context.bridge);
	assert_int_equal(site_listeners(s)->n, 3);
	assert_listens(s, 2, "[2606:4700:cf1:1000::12]");

	int fd = site_listeners(s)->list[0].fd;
	dummy_unaddress(s->w.kernel, 3, "100.96.0.18");
	gateway_doubt(&s->w.gateway);
	world_run(&s->w, WORLD_SECOND);
	bridge_step(s->context.bridge);
	assert_int_equal(site_listeners(s)->n, 2);
	assert_int_equal(fcntl(fd, F_GETFD), -1);

	world_enter(&s->w, world_masquerade);
	bridge_step(s->context.bridge);
	assert_int_equal(site_listeners(s)->n, 0);
}

/* More than there may be: those that there are stay, and what is missing is said. */
static void test_too_many(void **state)
{
	struct site *s = *state;
	char line[64];

	site_configure(s, "{listen: [%u], " SITE_ROUTES "}", s->port);
	assert_false(site_has_condition(s, COND_BRIDGE_TOO_MANY_LISTENERS, "CloudflareWARP"));
	int fd = site_listeners(s)->list[0].fd;
	for (unsigned i = 1; i <= BRIDGE_LISTENERS + 1; i++) {
		snprintf(line, sizeof(line), "address 3 100.95.1.%u/32\n", i);
		assert_int_equal(dummy_load(s->w.kernel, line), 0);
	}
	gateway_doubt(&s->w.gateway);
	world_run(&s->w, WORLD_SECOND);
	bridge_step(s->context.bridge);
	assert_int_equal(site_listeners(s)->n, BRIDGE_LISTENERS);
	bool stays = false;
	for (size_t i = 0; i < site_listeners(s)->n; i++)
		stays |= site_listeners(s)->list[i].fd == fd;
	assert_true(stays);
	assert_true(site_has_condition(s, COND_BRIDGE_TOO_MANY_LISTENERS, "CloudflareWARP"));

	/* Others instead of all of them: what goes makes room at once. */
	site_configure(s, "{listen: [%u], " SITE_ROUTES "}", site_free_port());
	assert_int_equal(site_listeners(s)->n, BRIDGE_LISTENERS);
	for (size_t i = 0; i < site_listeners(s)->n; i++)
		assert_int_not_equal(site_listeners(s)->list[i].port, s->port);
	site_configure(s, "{listen: [\"192.0.2.1:%u\"], " SITE_ROUTES "}", s->port);
	assert_int_equal(site_listeners(s)->n, 1);
	assert_false(site_has_condition(s, COND_BRIDGE_TOO_MANY_LISTENERS, "CloudflareWARP"));
}

/* Somebody else has the port, and then not any more. */
static void test_port_taken(void **state)
{
	struct site *s = *state;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(s->port)};
	autoclose int other = socket(AF_INET, SOCK_STREAM, 0);
	char name[64];

	assert_int_equal(bind(other, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(other, 1), 0);
	site_configure(s, "{listen: [%u], " SITE_ROUTES "}", s->port);
	assert_int_equal(site_listeners(s)->n, 1);
	assert_int_equal(site_listeners(s)->list[0].error, EADDRINUSE);

	/* Time goes by on the clock that the bridge looks at. */
	struct observed *seen = &s->w.gateway.seen;
	struct bridge_listeners all = {};
	uint64_t now = 1;
	assert_false(bridge_listeners_update(&all, s->w.config, seen, false, now));
	assert_false(bridge_listeners_update(&all, s->w.config, seen, true, now + 1));
	close(fd_take(&other));
	assert_false(bridge_listeners_update(&all, s->w.config, seen, false, now + 2));
	assert_true(
		bridge_listeners_update(&all, s->w.config, seen, false, now + 2 * BRIDGE_RETRY_US));
	bridge_listeners_clear(&all);
	snprintf(name, sizeof(name), "100.96.0.18:%u", s->port);
	assert_false(site_has_condition(s, COND_BRIDGE_NOT_LISTENING, name)); /* not yet */
}

/* A bridge outlived the last meshgwd: its socket has the address until it takes the new one. */
static void test_restart_beside_a_bridge(void **state)
{
	struct site *s = *state;
	struct bridge_listeners after = {}, late = {};
	struct observed *seen = &s->w.gateway.seen;

	site_configure(s, "{listen: [\"192.0.2.7:%u\"], " SITE_ROUTES "}", site_free_port());
	const struct config *c = s->w.config;
	bridge_step(s->context.bridge);
	/* The one that the site has is the bridge's by now. */
	assert_false(bridge_listeners_update(&after, c, seen, false, 1));
	assert_int_equal(after.list[0].error, EADDRINUSE);
	assert_false(bridge_listeners_update(&after, c, seen, false, 1 + BRIDGE_HELD_US / 2));
	/* It attaches: at once, whenever the next attempt was due. */
	assert_true(bridge_listeners_update(&after, c, seen, true, 2 + BRIDGE_HELD_US / 2));
	assert_int_equal(after.list[0].error, 0);
	/* It never comes: the address is shared all the same. */
	assert_false(bridge_listeners_update(&late, c, seen, false, 1));
	assert_true(bridge_listeners_update(&late, c, seen, false, 1 + BRIDGE_HELD_US));
	bridge_listeners_clear(&after);
	bridge_listeners_clear(&late);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_addresses),
		TEST(test_too_many),
		TEST(test_port_taken),
		TEST(test_restart_beside_a_bridge),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
