/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meshgwd's side of the HTTP bridge: its sockets, its files, the names of its upstreams, and what
 * it is told on the socket that is its own. The kernel of the gateway is one in memory; listening
 * sockets are real, on addresses that this host need not have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/authority.h"
#include "daemon/bridge.h"
#include "daemon/bridge_ask.h"
#include "daemon/bridge_names.h"
#include "daemon/clock.h"
#include "daemon/diagnoses.h"
#include "lib/json.h"
#include "lib/own.h"
#include "world.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LAN "lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n"
#define ROUTES "routes: [{host: a, upstream: \"http://10.0.1.50\"}]"

struct site {
	struct world w;
	struct conditions conditions;
	struct server_context context;
	struct server *server;
	sd_event *event;
	sd_varlink_server *probe; /* stands for meshgw-probe */
	const char *addresses;    /* that it answers, a JSON list */
	char probe_path[80];
	unsigned changes, questions;
	uint16_t port;
};

static int answer(sd_varlink *link, sd_json_variant *, sd_varlink_method_flags_t, void *userdata)
{
	struct site *s = userdata;
	autojson sd_json_variant *list = nullptr, *facts = nullptr;

	s->questions++;
	assert_true(sd_json_parse(s->addresses, 0, &list, nullptr, nullptr) >= 0);
	assert_true(sd_json_variant_new_array(&facts, nullptr, 0) >= 0);
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("addresses", list),
		SD_JSON_BUILD_PAIR_VARIANT("facts", facts));
}

static void on_change(void *arg)
{
	struct site *s = arg;

	s->changes++;
	bridge_step(s->context.bridge);
}

static void serve(struct site *s)
{
	while (sd_event_run(s->event, 0) > 0)
		;
}

static void start_probe(struct site *s)
{
	snprintf(s->probe_path, sizeof(s->probe_path), "%s/probe", s->w.dir);
	assert_true(sd_varlink_server_new(&s->probe, SD_VARLINK_SERVER_INHERIT_USERDATA) >= 0);
	sd_varlink_server_set_userdata(s->probe, s);
	assert_true(
		sd_varlink_server_bind_method(s->probe, "io.meshgw.Probe.Resolve", answer) >= 0);
	assert_true(sd_varlink_server_listen_address(s->probe, s->probe_path, 0600) >= 0);
	assert_true(sd_varlink_server_attach_event(s->probe, s->event, 0) >= 0);
}

/* A port that nobody has, now. */
static uint16_t free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	autoclose int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	return ntohs(at.sin_port);
}

static int setup(void **state)
{
	struct site *s = calloc(1, sizeof(*s));
	struct err err = {};

	assert_non_null(s);
	world_init(&s->w, world_host);
	s->context = (struct server_context){.reload = &s->w.reload,
		.conditions = &s->conditions,
		.changed = on_change,
		.arg = s};
	s->addresses = "[]";
	s->port = free_port();
	assert_true(sd_event_new(&s->event) >= 0);
	start_probe(s);
	s->context.bridge = bridge_new(s->event, &s->context, "nobody", s->probe_path);
	assert_int_equal(server_new(s->event, s->w.dir, &s->context, &s->server, &err), 0);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct site *s = *state;

	serve(s); /* a connection ends when its client's end is noticed */
	bridge_free(s->context.bridge);
	server_free(s->server);
	sd_varlink_server_unref(s->probe);
	(void)unlink(s->probe_path);
	sd_event_unref(s->event);
	world_clear(&s->w);
	conditions_clear(&s->conditions);
	free(s);
	return 0;
}

/* fmt: the mapping below bridge, where a %u stands for the port. */
[[gnu::format(printf, 2, 3)]] static void configure(struct site *s, const char *fmt, ...)
{
	char section[2048], text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(section, sizeof(section), fmt, ap);
	va_end(ap);
	snprintf(text, sizeof(text), LAN "bridge: %s\n", section);
	world_enter(&s->w, text);
	world_run(&s->w, WORLD_SECOND);
	bridge_step(s->context.bridge);
}

/* ---- a client ---- */

struct reply {
	sd_json_variant *parameters;
	int fds[8];
	size_t n_fds;
};

static void reply_clear(struct reply *r)
{
	for (size_t i = 0; i < r->n_fds; i++)
		close(r->fds[i]);
	sd_json_variant_unref(r->parameters);
	*r = (struct reply){};
}

static int connect_client(struct site *s)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_true(server_add_connection(s->server, SERVER_BRIDGE, ends[0]) >= 0);
	return ends[1];
}

/* The next message; false = there is none. */
static bool receive(struct site *s, int fd, struct reply *out)
{
	static char text[1 << 20];
	char control[CMSG_SPACE(sizeof(out->fds))];
	struct iovec iov = {text, sizeof(text) - 1};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	autojson sd_json_variant *v = nullptr;

	serve(s);
	reply_clear(out);
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n <= 0)
		return false;
	text[n] = '\0';
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		out->n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(out->fds, CMSG_DATA(c), out->n_fds * sizeof(int));
	}
	assert_true(sd_json_parse(text, 0, &v, nullptr, nullptr) >= 0);
	out->parameters = sd_json_variant_ref(sd_json_variant_by_key(v, "parameters"));
	return true;
}

static void call(int fd, const char *method, const char *rest)
{
	char text[256];
	int n = snprintf(
		text, sizeof(text), "{\"method\":\"io.meshgw.Gateway.%s\"%s}", method, rest);

	assert_int_equal(send(fd, text, (size_t)n + 1, MSG_NOSIGNAL), n + 1);
}

static uint64_t generation(const struct reply *r)
{
	return sd_json_variant_unsigned(sd_json_variant_by_key(r->parameters, "generation"));
}

/* Of the first route's first upstream. */
static size_t count_addresses(const struct reply *r)
{
	sd_json_variant *v = sd_json_variant_by_key(r->parameters, "bridge");
	v = sd_json_variant_by_index(sd_json_variant_by_key(v, "routes"), 0);
	v = sd_json_variant_by_index(sd_json_variant_by_key(v, "upstreams"), 0);
	return sd_json_variant_elements(sd_json_variant_by_key(v, "addresses"));
}

/* ---- sockets ---- */

static const struct bridge_listeners *listeners(const struct site *s)
{
	return bridge_view(s->context.bridge).listeners;
}

static void assert_listens(const struct site *s, size_t i, const char *address)
{
	char name[BRIDGE_LISTENER_STRLEN], want[64];
	int value = 0;
	socklen_t len = sizeof(value);

	snprintf(want, sizeof(want), "%s:%u", address, s->port);
	assert_true(i < listeners(s)->n);
	const struct bridge_listener *l = &listeners(s)->list[i];
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

	configure(s, "{listen: [%u, \"192.0.2.1:%u\"], " ROUTES "}", s->port, s->port);
	assert_int_equal(listeners(s)->n, 2);
	assert_listens(s, 0, "100.96.0.18");
	assert_listens(s, 1, "192.0.2.1"); /* which the host does not have */

	assert_int_equal(dummy_load(s->w.kernel, "address 3 2606:4700:cf1:1000::12/128\n"
						 "address 3 fe80::1/64\naddress 2 10.0.1.99/24\n"),
		0);
	gateway_doubt(&s->w.gateway);
	world_run(&s->w, WORLD_SECOND);
	bridge_step(s->context.bridge);
	assert_int_equal(listeners(s)->n, 3);
	assert_listens(s, 2, "[2606:4700:cf1:1000::12]");

	int fd = listeners(s)->list[0].fd;
	dummy_unaddress(s->w.kernel, 3, "100.96.0.18");
	gateway_doubt(&s->w.gateway);
	world_run(&s->w, WORLD_SECOND);
	bridge_step(s->context.bridge);
	assert_int_equal(listeners(s)->n, 2);
	assert_int_equal(fcntl(fd, F_GETFD), -1);

	world_enter(&s->w, world_masquerade);
	bridge_step(s->context.bridge);
	assert_int_equal(listeners(s)->n, 0);
}

static bool has_condition(const struct site *s, enum condition_code code, const char *subject)
{
	struct conditions all = {};

	bridge_health(s->context.bridge, &all);
	bool found = conditions_find(&all, code, subject) != nullptr;
	conditions_clear(&all);
	return found;
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
	configure(s, "{listen: [%u], " ROUTES "}", s->port);
	assert_int_equal(listeners(s)->n, 1);
	assert_int_equal(listeners(s)->list[0].error, EADDRINUSE);

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
	assert_false(has_condition(s, COND_BRIDGE_NOT_LISTENING, name)); /* not yet */
}

/* A bridge outlived the last meshgwd: its socket has the address until it takes the new one. */
static void test_restart_beside_a_bridge(void **state)
{
	struct site *s = *state;
	struct bridge_listeners after = {}, late = {};
	struct observed *seen = &s->w.gateway.seen;

	configure(s, "{listen: [\"192.0.2.7:%u\"], " ROUTES "}", free_port());
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

/* ---- attaching ---- */

static void test_attach(void **state)
{
	struct site *s = *state;
	struct reply r = {};
	autoclose int fd = connect_client(s);

	call(fd, "BridgeAttach", ",\"more\":true");
	assert_true(receive(s, fd, &r));
	assert_null(sd_json_variant_by_key(r.parameters, "bridge"));
	assert_int_equal(r.n_fds, 0);
	uint64_t before = generation(&r);

	configure(s, "{listen: [%u], " ROUTES "}", s->port);
	assert_true(receive(s, fd, &r));
	assert_true(generation(&r) > before);
	before = generation(&r);
	assert_non_null(sd_json_variant_by_key(r.parameters, "bridge"));
	assert_int_equal(r.n_fds, 1);
	assert_int_equal(count_addresses(&r), 1);
	assert_true(bridge_view(s->context.bridge).attached);

	/* The same once more is no news, another route is. */
	configure(s, "{listen: [%u], " ROUTES "}", s->port);
	assert_false(receive(s, fd, &r));
	configure(s, "{listen: [%u], threads: 2, " ROUTES "}", s->port);
	assert_true(receive(s, fd, &r));
	assert_int_equal(generation(&r), before + 1);
	assert_int_equal(r.n_fds, 1);

	/* Everything went: that is told as well. */
	world_enter(&s->w, world_masquerade);
	bridge_step(s->context.bridge);
	assert_true(receive(s, fd, &r));
	assert_null(sd_json_variant_by_key(r.parameters, "bridge"));
	assert_int_equal(r.n_fds, 0);
	reply_clear(&r);
	close(fd_take(&fd));
	serve(s);
	assert_false(bridge_view(s->context.bridge).attached);
}

/* The descriptor is that of the socket itself: what came while nobody accepted is there. */
static void test_queue_waits(void **state)
{
	struct site *s = *state;
	struct reply r = {};
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_port = htons(s->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	autoclose int client = socket(AF_INET, SOCK_STREAM, 0);

	configure(s, "{listen: [\"127.0.0.1:%u\"], " ROUTES "}", s->port);
	assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(send(client, "x", 1, 0), 1);
	autoclose int fd = connect_client(s);
	call(fd, "BridgeAttach", "");
	assert_true(receive(s, fd, &r));
	assert_int_equal(r.n_fds, 1);
	assert_int_equal(fcntl(r.fds[0], F_SETFL, 0), 0);
	autoclose int accepted = accept(r.fds[0], nullptr, nullptr);
	char byte = 0;
	assert_int_equal(recv(accepted, &byte, 1, 0), 1);
	assert_int_equal(byte, 'x');
	reply_clear(&r);
}

/* One that does not read is told only the newest. */
static void test_slow_reader(void **state)
{
	struct site *s = *state;
	struct reply r = {};
	autoclose int fd = connect_client(s);

	call(fd, "BridgeAttach", ",\"more\":true");
	assert_true(receive(s, fd, &r));
	for (unsigned threads = 1; threads <= 20; threads++) {
		configure(s, "{listen: [%u], threads: %u, " ROUTES "}", s->port, threads);
		serve(s);
	}
	unsigned messages = 0;
	uint64_t last = 0;
	while (receive(s, fd, &r)) {
		messages++;
		last = generation(&r);
		bridge_step(s->context.bridge);
	}
	assert_true(messages <= 3);
	assert_int_equal(last, bridge_view(s->context.bridge).generation);
	reply_clear(&r);
}

static void test_methods(void **state)
{
	static const char *const refused[] = {"Plan", "Apply", "Confirm", "Undo", "Down",
		"Diagnose", "Recall", "Doctor", "Fix", "Follow"};
	struct site *s = *state;
	char text[65536];

	for (size_t i = 0; i < COUNT(refused); i++) {
		autoclose int fd = connect_client(s);
		call(fd, refused[i], "");
		serve(s);
		ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
		text[n > 0 ? n : 0] = '\0';
		assert_non_null(strstr(text, "org.varlink.service.MethodNotFound"));
	}
	autoclose int fd = connect_client(s);
	call(fd, "GetStatus", "");
	serve(s);
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	text[n > 0 ? n : 0] = '\0';
	assert_non_null(strstr(text, "\"phase\""));
	for (enum server_socket which = SERVER_STATUS; which <= SERVER_CONTROL; which++) {
		int ends[2];
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
		assert_true(server_add_connection(s->server, which, ends[0]) >= 0);
		call(ends[1], "BridgeAttach", "");
		serve(s);
		n = recv(ends[1], text, sizeof(text) - 1, MSG_DONTWAIT);
		text[n > 0 ? n : 0] = '\0';
		assert_non_null(strstr(text, "org.varlink.service.MethodNotFound"));
		close(ends[1]);
	}
}

/* ---- names ---- */

static void wait_for_questions(struct site *s, unsigned n)
{
	uint64_t deadline = clock_monotonic_us() + 10 * WORLD_SECOND;

	while (s->questions < n && clock_monotonic_us() < deadline)
		(void)sd_event_run(s->event, 100'000);
	assert_true(s->questions >= n);
	serve(s);
}

static void test_names(void **state)
{
	struct site *s = *state;
	struct reply r = {};
	autoclose int fd = connect_client(s);

	s->addresses = "[\"10.0.1.70\",\"10.0.1.71\",\"10.0.1.70\",\"192.0.2.1\",\"x\"]";
	call(fd, "BridgeAttach", ",\"more\":true");
	configure(s, "{listen: [%u], routes: [{host: a, upstream: http://app.internal}]}", s->port);
	wait_for_questions(s, 1);
	assert_int_equal(s->changes, 1);
	do
		assert_true(receive(s, fd, &r));
	while (generation(&r) < bridge_view(s->context.bridge).generation);
	assert_int_equal(count_addresses(&r), 2);
	assert_false(has_condition(s, COND_BRIDGE_NAME_UNUSABLE, "app.internal"));
	/* Asked for again, and until then what was known holds. */
	s->addresses = "[\"10.0.1.72\"]";
	configure(s, "{listen: [%u], routes: [{host: b, upstream: http://app.internal}]}", s->port);
	assert_true(receive(s, fd, &r));
	assert_int_equal(count_addresses(&r), 2);
	wait_for_questions(s, 2);
	assert_true(receive(s, fd, &r));
	assert_int_equal(count_addresses(&r), 1);
	reply_clear(&r);
}

static void test_name_astray(void **state)
{
	struct site *s = *state;

	s->addresses = "[\"127.0.0.1\",\"192.0.2.1\"]";
	configure(s, "{listen: [%u], routes: [{host: a, upstream: http://app.internal}]}", s->port);
	assert_false(has_condition(s, COND_BRIDGE_NAME_UNUSABLE, "app.internal"));
	wait_for_questions(s, 1);
	assert_int_equal(s->changes, 0);
	assert_true(has_condition(s, COND_BRIDGE_NAME_UNUSABLE, "app.internal"));
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
		"\"fd00:ec2::/32\", 192.0.0.0/24], " ROUTES "}\n");
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

/* ---- questions ---- */

static void test_allowed(void **)
{
	static const struct {
		const char *target, *canonical; /* nullptr: not allowed */
	} cases[] = {
		{"10.0.1.50:3000", "10.0.1.50:3000"},
		{"10.0.1.50:80", "10.0.1.50:80"},
		{"APP.internal:443", "app.internal:443"},
		{"[2001:DB8:1::0:50]:3000", "[2001:db8:1::50]:3000"},
		{"10.0.1.51:22", "10.0.1.51:22"},
		{"10.0.1.50", nullptr},
		{"10.0.1.50:3001", nullptr},
		{"10.0.1.51:3000", nullptr},
		{"app.internal:80", nullptr},
		{"udp://10.0.1.50:3000", nullptr},
		{"http://10.0.1.50:3000", nullptr},
		{"10.0.1.50:3000/", nullptr},
		{" 10.0.1.50:3000", nullptr},
		{"", nullptr},
	};
	char canonical[AUTHORITY_STRLEN];
	struct config *config = world_config(LAN
		"bridge: {listen: [80], diagnose: {targets: [\"10.0.1.51:22\"]}, routes: [{host: a, "
		"upstream: [\"http://10.0.1.50:3000\", http://10.0.1.50, https://app.internal, "
		"\"http://[2001:db8:1::50]:3000\", unix:/run/x]}]}\n");
	struct config *without = world_config(LAN);

	for (size_t i = 0; i < COUNT(cases); i++) {
		bool allowed = bridge_ask_is_allowed(config, cases[i].target, canonical);
		if (allowed != (cases[i].canonical != nullptr))
			fail_msg("%s", cases[i].target);
		if (allowed)
			assert_string_equal(canonical, cases[i].canonical);
		assert_false(bridge_ask_is_allowed(without, cases[i].target, canonical));
	}
	config_free(config);
	config_free(without);
}

/* What the next message says, within so many seconds. */
static const char *hear(struct site *s, int fd, unsigned seconds)
{
	static char text[1 << 20];
	uint64_t deadline = clock_monotonic_us() + seconds * WORLD_SECOND;
	ssize_t n = -1;

	while (n < 0 && clock_monotonic_us() < deadline) {
		(void)sd_event_run(s->event, 20'000);
		n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	}
	text[n > 0 ? n : 0] = '\0';
	return text;
}

#define TARGET(text) ",\"parameters\":{\"target\":\"" text "\"}"
#define TARGET_SOON(text) ",\"parameters\":{\"target\":\"" text "\",\"deadlineMs\":500}"

/* One diagnosis for all who ask, and for those who ask soon after. */
static void test_questions(void **state)
{
	struct site *s = *state;
	autoclose int first = connect_client(s), second = connect_client(s),
		      hasty = connect_client(s), later = connect_client(s);

	configure(s, "{listen: [%u], " ROUTES "}", s->port);
	call(first, "DiagnoseTarget", TARGET("10.0.1.51:80"));
	assert_non_null(strstr(hear(s, first, 5), "io.meshgw.Gateway.TargetNotAllowed"));
	call(first, "DiagnoseTarget",
		",\"parameters\":{\"target\":\"10.0.1.50:80\",\"deadlineMs\":1}");
	assert_non_null(strstr(hear(s, first, 5), "org.varlink.service.InvalidParameter"));

	call(first, "DiagnoseTarget", TARGET("10.0.1.50:80"));
	call(second, "DiagnoseTarget", TARGET("10.0.1.50:80"));
	call(hasty, "DiagnoseTarget", TARGET_SOON("10.0.1.50:80"));
	assert_non_null(strstr(hear(s, hasty, 5), "io.meshgw.Gateway.NoVerdict"));
	char id[128] = "";
	const char *text = strstr(hear(s, first, 20), "\"id\":\"");
	assert_non_null(text);
	snprintf(id, sizeof(id), "%.*s", (int)strcspn(text + 6, "\"") + 6, text);
	assert_non_null(strstr(hear(s, second, 20), id));
	call(later, "DiagnoseTarget", TARGET_SOON("10.0.1.50:80"));
	assert_non_null(strstr(hear(s, later, 20), id));
	/* An operator's last verdict is not replaced. */
	assert_null(diagnoses_verdict(s->context.diagnoses));
}

/* Whoever goes is forgotten, and so is a question that nobody will hear of. */
static void test_question_of_one_who_goes(void **state)
{
	struct site *s = *state;
	autoclose int fd = connect_client(s);

	configure(s, "{listen: [%u], " ROUTES "}", s->port);
	call(fd, "DiagnoseTarget", TARGET("10.0.1.50:80"));
	serve(s);
	close(fd_take(&fd));
	serve(s);
}

/* ---- files ---- */

#define PEM "-----BEGIN X-----\nAAAA\n-----END X-----\n"
#define TOKEN "0123456789abcdef"

static void test_files(void **state)
{
	static const struct {
		enum bridge_file_kind kind;
		mode_t mode;
		const char *text, *want; /* nullptr: refused */
	} cases[] = {
		{BRIDGE_FILE_TOKEN, 0640, TOKEN, TOKEN},
		{BRIDGE_FILE_TOKEN, 0600, TOKEN "\n", TOKEN},
		{BRIDGE_FILE_TOKEN, 0400, TOKEN "-._~+/A==\n", TOKEN "-._~+/A=="},
		{BRIDGE_FILE_TOKEN, 0644, TOKEN, nullptr},
		{BRIDGE_FILE_TOKEN, 0641, TOKEN, nullptr},
		{BRIDGE_FILE_TOKEN, 0660, TOKEN, nullptr},
		{BRIDGE_FILE_TOKEN, 0640, "", nullptr},
		{BRIDGE_FILE_TOKEN, 0640, "short", nullptr},
		{BRIDGE_FILE_TOKEN, 0640, TOKEN "\n\n", nullptr},
		{BRIDGE_FILE_TOKEN, 0640, TOKEN "\n" TOKEN, nullptr},
		{BRIDGE_FILE_TOKEN, 0640, TOKEN " ", nullptr},
		{BRIDGE_FILE_TOKEN, 0640, "================", nullptr},
		{BRIDGE_FILE_TOKEN, 0640, TOKEN "=a", nullptr},
		{BRIDGE_FILE_KEY, 0640, PEM, PEM},
		{BRIDGE_FILE_KEY, 0644, PEM, nullptr},
		{BRIDGE_FILE_KEY, 0640, TOKEN, nullptr},
		{BRIDGE_FILE_KEY, 0640, PEM "\xc3\xa4", nullptr},
		{BRIDGE_FILE_CERTIFICATE, 0644, PEM, PEM},
		{BRIDGE_FILE_CERTIFICATE, 0664, PEM, nullptr},
		{BRIDGE_FILE_CERTIFICATE, 0646, PEM, nullptr},
	};
	struct site *s = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/secret", s->w.dir);
	for (size_t i = 0; i < COUNT(cases); i++) {
		autofree char *text = nullptr;
		struct err err = {};
		autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert_int_equal(write(fd, cases[i].text, strlen(cases[i].text)),
			(ssize_t)strlen(cases[i].text));
		assert_int_equal(fchmod(fd, cases[i].mode), 0);
		int r = bridge_file_read(cases[i].kind, path, &text, &err);
		if (!cases[i].want != (r < 0))
			fail_msg("case %zu: %d %s", i, r, err.msg);
		if (r >= 0)
			assert_string_equal(text, cases[i].want);
		/* No message says what a file holds. */
		if (r < 0 && cases[i].text[0])
			assert_null(strstr(err.msg, cases[i].text));
		assert_int_equal(fchmod(fd, 0600), 0);
	}
	(void)unlink(path);
}

static void test_file_kinds(void **state)
{
	struct site *s = *state;
	autofree char *text = nullptr;
	struct err err = {};
	char path[128];

	snprintf(path, sizeof(path), "%s/pipe", s->w.dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(bridge_file_read(BRIDGE_FILE_TOKEN, path, &text, &err), -EINVAL);
	(void)unlink(path);
	assert_int_equal(bridge_file_read(BRIDGE_FILE_TOKEN, path, &text, &err), -ENOENT);
	assert_int_equal(bridge_file_read(BRIDGE_FILE_KEY, "/dev/zero", &text, &err), -EINVAL);
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, (off_t)BRIDGE_PEM_MOST + 1), 0);
	assert_int_equal(bridge_file_read(BRIDGE_FILE_KEY, path, &text, &err), -EFBIG);
	assert_int_equal(ftruncate(fd, 100), 0); /* NULs */
	assert_int_equal(bridge_file_read(BRIDGE_FILE_KEY, path, &text, &err), -EINVAL);
	(void)unlink(path);
}

static void test_unusable_file(void **state)
{
	struct site *s = *state;

	configure(s,
		"{listen: [%u], routes: [{host: a, upstream: \"http://10.0.1.50\", "
		"token_files: [/nowhere]}]}",
		s->port);
	assert_true(has_condition(s, COND_BRIDGE_FILE_UNUSABLE, "/nowhere"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_addresses),
		TEST(test_port_taken),
		TEST(test_restart_beside_a_bridge),
		TEST(test_attach),
		TEST(test_queue_waits),
		TEST(test_slow_reader),
		TEST(test_methods),
		TEST(test_names),
		TEST(test_name_astray),
		cmocka_unit_test(test_name_may_be),
		cmocka_unit_test(test_allowed),
		TEST(test_questions),
		TEST(test_question_of_one_who_goes),
		TEST(test_files),
		TEST(test_file_kinds),
		TEST(test_unusable_file),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
