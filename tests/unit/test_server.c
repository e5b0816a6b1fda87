/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io.meshgw.Gateway as a client meets it: what each of the two sockets lets through, and that one
 * client's manners are no other client's trouble.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/clock.h"
#include "daemon/diagnoses.h"
#include "daemon/server.h"
#include "daemon/testify.h"
#include "evidence_build.h"
#include "gateway_client.h"
#include "lib/own.h"
#include "verdict/entry.h"
#include "world.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CALL(method) "{\"method\":\"io.meshgw.Gateway." method "\"}"
#define APPLY(fields) "{\"method\":\"io.meshgw.Gateway.Apply\",\"parameters\":{" fields "}}"
#define CONTENT "\"content\":\"lan: [{interface: eth0, networks: [10.0.1.0/24]}]\""

#define METHOD_NOT_FOUND "\"error\":\"org.varlink.service.MethodNotFound\""
#define INVALID_PARAMETER "\"error\":\"org.varlink.service.InvalidParameter\""

struct site {
	struct world w;
	struct conditions conditions;
	struct server_context context;
	struct server *server;
	sd_event *event;
	unsigned changes;
};

static void count_change(void *arg)
{
	struct site *s = arg;
	s->changes++;
}

static int setup(void **state)
{
	struct site *s = calloc(1, sizeof(*s));
	struct err err = {};

	assert_non_null(s);
	world_init(&s->w, world_host);
	world_enter(&s->w, world_masquerade);
	world_run(&s->w, WORLD_SECOND);
	s->context = (struct server_context){.reload = &s->w.reload,
		.conditions = &s->conditions,
		.changed = count_change,
		.arg = s};
	assert_true(sd_event_new(&s->event) >= 0);
	assert_int_equal(server_new(s->event, s->w.dir, &s->context, &s->server, &err), 0);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct site *s = *state;

	client_serve(s->event); /* a connection ends when its client's end is noticed */
	server_free(s->server);
	sd_event_unref(s->event);
	world_clear(&s->w);
	free(s);
	return 0;
}

static int connect_client(struct site *s, bool control)
{
	return client_connect(s->server, control ? SERVER_CONTROL : SERVER_STATUS);
}

/* Sends bytes; the answer is what came back, "" for none. */
static void tell(struct site *s, int fd, const void *bytes, size_t len, char *answer, size_t size)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
	client_read(s->event, fd, answer, size);
}

/* One call of a new client. */
static void ask(struct site *s, bool control, const char *message, char answer[static 65536])
{
	autoclose int fd = connect_client(s, control);
	tell(s, fd, message, strlen(message) + 1, answer, 65536);
}

static const char *const changing[] = {CALL("Plan"), APPLY(CONTENT), CALL("Confirm"), CALL("Undo"),
	CALL("Down"), CALL("EdgePromote"), CALL("Nothing")};
static const char *const looking[] = {CALL("Doctor"), CALL("Recall")};

static void test_status_socket_only_reads(void **state)
{
	struct site *s = *state;
	static char answer[65536];
	autofree char *before = world_text(&s->w);

	ask(s, false, CALL("GetStatus"), answer);
	assert_non_null(strstr(answer, "\"phase\":\"up\""));
	for (size_t i = 0; i < COUNT(changing); i++) {
		ask(s, false, changing[i], answer);
		assert_non_null(strstr(answer, METHOD_NOT_FOUND));
	}
	/* These read as well, and tell more of the host than everybody may know. */
	for (size_t i = 0; i < COUNT(looking); i++) {
		ask(s, false, looking[i], answer);
		assert_non_null(strstr(answer, METHOD_NOT_FOUND));
	}
	autofree char *after = world_text(&s->w);
	assert_string_equal(before, after);
	assert_int_equal(s->changes, 0);
}

/* What each check says is up to the host that runs this; a configuration is in force, or not. */
static void test_doctor(void **state)
{
	struct site *s = *state;
	static char answer[1 << 20];

	for (size_t i = 0; i < 2; i++) {
		autoclose int fd = connect_client(s, true);
		tell(s, fd, CALL("Doctor"), sizeof(CALL("Doctor")), answer, sizeof(answer));
		assert_non_null(strstr(answer, "\"checks\":[{\"name\":"));
		assert_non_null(strstr(answer, "\"record\":{"));
		assert_non_null(strstr(answer, i ? "\"up\":false" : "\"up\":true"));
		static char down[65536];
		ask(s, true, CALL("Down"), down);
	}
}

/* Nobody watches here. */
static void test_follow(void **state)
{
	struct site *s = *state;
	static char answer[65536];
	static const char more[] = "{\"method\":\"io.meshgw.Gateway.Follow\",\"more\":true}";

	ask(s, false, more, answer);
	assert_non_null(strstr(answer, METHOD_NOT_FOUND));
	ask(s, true, CALL("Follow"), answer);
	assert_non_null(strstr(answer, "\"error\":\"org.varlink.service.ExpectedMore\""));
	ask(s, true, more, answer);
	assert_non_null(strstr(answer, "\"error\":\"io.meshgw.Gateway.NotWatching\""));
	ask(s, false, CALL("GetStatus"), answer);
	assert_null(strstr(answer, "\"flows\""));
}

#define FIX(code, rest) \
	"{\"method\":\"io.meshgw.Gateway.Fix\",\"parameters\":{\"code\":\"" code "\"," rest "}}"
#define PREVIEW "\"preview\":true"
#define NOT_FIXABLE "\"error\":\"io.meshgw.Gateway.NotFixable\""

/* As if a flow had been diagnosed. */
static void diagnosed(struct site *s, const char *facts)
{
	struct evidence e = {};

	evidence_healthy(&e, AF_INET);
	evidence_change(&e, facts);
	diagnoses_keep(s->context.diagnoses, &e);
}

static const char no_return_route[] =
	"-packet point=tun-out|probe probe=injected outcome=silent answered=0|"
	"probe probe=injected-other outcome=silent answered=0|"
	"probe probe=injected-echo outcome=silent answered=0|"
	"+packet origin=injected point=lan-out packet=syn-ack count=2|"
	"lookup question=reverse oif=eth0 gateway=10.0.1.1 match=0.0.0.0/0|"
	"lookup question=reverse-bare oif=eth0 match=0.0.0.0/0";

/* Does what the preview has shown, which is shown now. */
static void consent(struct site *s, const char *code, char answer[static 65536])
{
	char preview[256], call[512], digest[128] = "";

	snprintf(preview, sizeof(preview),
		"{\"method\":\"io.meshgw.Gateway.Fix\",\"parameters\":{\"code\":\"%s\","
		"\"preview\":true}}",
		code);
	ask(s, true, preview, answer);
	const char *at = strstr(answer, "\"digest\":\"");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "\"digest\":\"%127[^\"]", digest), 1);
	snprintf(call, sizeof(call),
		"{\"method\":\"io.meshgw.Gateway.Fix\",\"parameters\":{\"code\":\"%s\","
		"\"preview\":false,\"digest\":\"%s\"}}",
		code, digest);
	ask(s, true, call, answer);
}

/* Without a diagnosis, or against what it says, nothing is shown or done. */
static void test_fix_refuses(void **state)
{
	struct site *s = *state;
	static char answer[65536];

	ask(s, false, FIX("return-route-missing", PREVIEW), answer);
	assert_non_null(strstr(answer, METHOD_NOT_FOUND));
	ask(s, true, FIX("no-such-code", PREVIEW), answer);
	assert_non_null(strstr(answer, INVALID_PARAMETER));
	ask(s, true, FIX("service-port-closed", PREVIEW), answer);
	assert_non_null(strstr(answer, NOT_FIXABLE));
	ask(s, true, FIX("route-blackhole", PREVIEW), answer);
	assert_non_null(strstr(answer, NOT_FIXABLE));
	/* Also what the configuration alone repairs. */
	ask(s, true, FIX("return-route-missing", PREVIEW), answer);
	assert_non_null(strstr(answer, "no diagnosis says what to repair"));
	diagnosed(s, "");
	ask(s, true, FIX("return-route-missing", PREVIEW), answer);
	assert_non_null(strstr(answer, "the diagnosis says healthy"));
	ask(s, true, FIX("return-route-missing", "\"preview\":false"), answer);
	assert_non_null(strstr(answer, INVALID_PARAMETER));
	ask(s, true, FIX("return-route-missing", PREVIEW ",\"digest\":\"x\""), answer);
	assert_non_null(strstr(answer, INVALID_PARAMETER));
}

/* A preview changes nothing, and what is done is what it has shown. */
static void test_fix(void **state)
{
	struct site *s = *state;
	static char answer[65536];

	ask(s, true, APPLY(CONTENT), answer);
	world_run(&s->w, WORLD_SECOND);
	diagnosed(s, no_return_route);
	consent(s, "return-route-missing", answer);
	assert_non_null(strstr(answer, "\"operations\":[]"));
	autofree char *up = world_text(&s->w);
	ask(s, true, CALL("Down"), answer);
	autofree char *down = world_text(&s->w);
	diagnosed(s, no_return_route);
	ask(s, true, FIX("return-route-missing", PREVIEW), answer);
	assert_non_null(strstr(answer, "route 100.64.0.0/12"));
	ask(s, true, FIX("return-route-missing", "\"preview\":false,\"digest\":\"0\""), answer);
	assert_non_null(strstr(answer, "not what was shown any more"));
	autofree char *preview = world_text(&s->w);
	assert_string_equal(preview, down);
	consent(s, "return-route-missing", answer);
	assert_non_null(strstr(answer, "route 100.64.0.0/12"));
	world_run(&s->w, WORLD_SECOND);
	autofree char *again = world_text(&s->w);
	assert_string_equal(again, up);
	/* It is spent. */
	ask(s, true, FIX("return-route-missing", PREVIEW), answer);
	assert_non_null(strstr(answer, "no diagnosis"));
}

/* Also of interfaces that are not on the flow's way. */
static void test_routers(void **state)
{
	struct site *s = *state;
	struct observed *seen = &s->w.gateway.seen;
	struct evidence e = {};
	size_t at = 0;

	assert_true(seen->links.n > 0);
	seen->ras[0] = (struct observed_ra){
		.ifindex = seen->links.list[seen->links.n - 1].ifindex, .accept_ra = 1};
	seen->n_ras = 1;
	e.flow.target.family = AF_INET;
	testify_routers(&s->w.gateway, &e);
	assert_int_equal(e.n, 0);
	e.flow.target.family = AF_INET6;
	testify_routers(&s->w.gateway, &e);
	testify_routers(&s->w.gateway, &e);
	assert_int_equal(e.n, 1);
	assert_non_null(evidence_hears_routers(&e, &at));
	evidence_clear(&e);
}

static void test_control_socket(void **state)
{
	struct site *s = *state;
	static char answer[65536];

	for (size_t i = 0; i + 1 < COUNT(changing); i++) {
		ask(s, true, changing[i], answer);
		assert_true(answer[0]);
		assert_null(strstr(answer, METHOD_NOT_FOUND));
	}
	assert_int_equal(s->changes, 4); /* Plan is none */
	ask(s, true, CALL("GetStatus"), answer);
	assert_non_null(strstr(answer, "\"phase\":\"down\""));
}

static void test_confirm_window(void **state)
{
	struct site *s = *state;
	static const char *const windows[] = {
		"0", "-1000", "86401", "9223372036854775807", "\"5\""};
	static char answer[65536];

	for (size_t i = 0; i < COUNT(windows); i++) {
		char message[256];
		snprintf(message, sizeof(message), APPLY(CONTENT ",\"confirmSeconds\":%s"),
			windows[i]);
		ask(s, true, message, answer);
		assert_non_null(strstr(answer, INVALID_PARAMETER));
		assert_non_null(strstr(answer, "confirmSeconds"));
	}
	assert_int_equal(s->changes, 0);
}

static void test_bad_clients(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} garbage[] = {{"GET / HTTP/1.1\r\n\r\n", 19}, {"{", 2}, {"[]", 3}, {"\xff\xff", 3},
		{"", 1}, {"{\"method\":5}", 13}, {"{\"method\":\"io.mesh", 18}};
	struct site *s = *state;
	static char answer[65536];

	for (size_t i = 0; i < COUNT(garbage); i++) {
		autoclose int good = connect_client(s, true), silent = connect_client(s, true);
		autoclose int bad = connect_client(s, true);
		tell(s, bad, garbage[i].bytes, garbage[i].len, answer, sizeof(answer));
		tell(s, good, CALL("GetStatus"), sizeof(CALL("GetStatus")), answer, sizeof(answer));
		assert_non_null(strstr(answer, "\"phase\":\"up\""));
		(void)silent;
	}
	assert_int_equal(s->changes, 0);
}

/* Who holds all the connections that one user may have shuts out nobody else's, and the next one
 * of its own only while it holds them. */
static void test_too_many_clients(void **state)
{
	struct site *s = *state;
	int held[SERVER_CONNECTIONS_PER_UID], ends[2];
	static char answer[65536];

	for (size_t i = 0; i < COUNT(held); i++)
		held[i] = connect_client(s, false);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_true(server_add_connection(s->server, false, ends[0]) < 0);
	close(ends[0]);
	close(ends[1]);
	ask(s, true, CALL("GetStatus"), answer);
	assert_non_null(strstr(answer, "\"phase\":\"up\""));
	for (size_t i = 0; i < COUNT(held); i++)
		close(held[i]);
	client_serve(s->event);
	ask(s, false, CALL("GetStatus"), answer);
	assert_non_null(strstr(answer, "\"phase\":\"up\""));
}

/* Is the connection closed by the daemon? */
static bool is_closed(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno == ECONNRESET);
}

/* Who makes no call has to go, with a message half sent or none; who makes one now and then may
 * stay. */
static void test_silent_clients(void **state)
{
	struct site *s = *state;
	static char answer[65536];

	s->context.silence_us = 200'000;
	autoclose int silent = connect_client(s, false), slow = connect_client(s, false);
	autoclose int good = connect_client(s, false);
	uint64_t deadline = clock_monotonic_us() + 20'000'000;
	while (!is_closed(silent) || !is_closed(slow)) {
		assert_true(clock_monotonic_us() < deadline);
		(void)send(slow, "{", 1, MSG_NOSIGNAL);
		(void)sd_event_run(s->event, 10'000);
		tell(s, good, CALL("GetStatus"), sizeof(CALL("GetStatus")), answer, sizeof(answer));
		assert_non_null(strstr(answer, "\"phase\":\"up\""));
	}
	assert_true(sd_event_run(s->event, 50'000) >= 0);
	assert_false(is_closed(good));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_status_socket_only_reads),
		TEST(test_control_socket),
		TEST(test_doctor),
		TEST(test_fix_refuses),
		TEST(test_fix),
		TEST(test_routers),
		TEST(test_follow),
		TEST(test_confirm_window),
		TEST(test_bad_clients),
		TEST(test_too_many_clients),
		TEST(test_silent_clients),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
