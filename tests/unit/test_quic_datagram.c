/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP datagrams and the settings for them as the RFCs want it, against a peer that does as it
 * likes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "quic_meet.h"

constexpr uint64_t NONE = UINT64_MAX;
#define MAX_FIELDS 14

static void answer_403(struct world_side *, struct quic_stream *s)
{
	assert_int_equal(quic_stream_respond(s, 403, nullptr, 0), 0);
}

/* RFC 9297 s2: a datagram for a request that gives it no meaning ends that request; one that comes
 * early for a tunnel that is then refused does not. */
static void test_datagram_without_meaning(void **)
{
	static const struct {
		const char *protocol;
		uint64_t reset;
		unsigned int status;
	} cases[] = {
		{"websocket", QUIC_H3_DATAGRAM_ERROR, 0},
		{"connect-ip", NONE, 403},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct world *w = world_new();
		const char *fields[] = REQUEST(":protocol", cases[i].protocol, nullptr);
		struct rude *r;
		uint64_t code;

		w->server.on_request = answer_403;
		r = rude_client(w);
		rude_begin(r, CONTROL(DATAGRAMS), 5);
		(void)rude_ask(r, fields, false);
		rude_datagram(r, (const uint8_t[]){0, 0, 0x45}, 3);
		world_run(w, SECOND);
		assert_int_equal(rude_status(rude_stream(r, 0)), cases[i].status);
		assert_int_equal(rude_stream(r, 0)->reset, cases[i].reset);
		assert_false(rude_closed(r, &code));
		rude_free(r);
		world_free(w);
	}
}

/* A control stream and a datagram of a client, and the connection error that comes of it. */
static const struct {
	const char *name;
	uint8_t control[12];
	size_t n_control;
	uint8_t datagram[12];
	size_t n;
	uint64_t code; /* NONE = the connection lives, the datagram is dropped */
} BREACHES[] = {
	{"RFC 9297 s2.1.1: H3_DATAGRAM is 2", {0, 4, 2, 0x33, 2}, 5, {}, 0, QUIC_H3_SETTINGS_ERROR},
	{"RFC 9114 s7.2.4.1: a setting of HTTP/2", {0, 4, 2, 0x03, 1}, 5, {}, 0,
		QUIC_H3_SETTINGS_ERROR},
	{"RFC 9114 s6.2.1: no SETTINGS", {0, 7, 1, 0}, 4, {}, 0, 0x10a},
	{"RFC 9297 s2.1: no room for the ID", {0, 4, 2, DATAGRAMS}, 5, {0x40}, 1,
		QUIC_H3_DATAGRAM_ERROR},
	{"RFC 9297 s2.1: ID above 2^60-1", {0, 4, 2, DATAGRAMS}, 5, {0xd0, 0, 0, 0, 0, 0, 0, 0, 1},
		9, QUIC_H3_DATAGRAM_ERROR},
	{"RFC 9297 s2.1: a stream that cannot be", {0, 4, 2, DATAGRAMS}, 5, {0x43, 0xe8, 0}, 3,
		QUIC_H3_ID_ERROR},
	{"RFC 9297 s2.1: a stream that may come", {0, 4, 2, DATAGRAMS}, 5, {0x02, 0, 1}, 3, NONE},
	{"RFC 9297 s2.1: before SETTINGS", {}, 0, {0x00, 0, 1}, 3, NONE},
	{"RFC 9114 s7.2.4.1: unknown settings", {0, 4, 4, 0x42, 0x76, 0x40, 0x01}, 7, {}, 0, NONE},
};

static void test_breaches(void **)
{
	for (size_t i = 0; i < sizeof(BREACHES) / sizeof(*BREACHES); i++) {
		struct world *w = world_new();
		struct rude *r = rude_client(w);
		bool closed;
		uint64_t code;

		print_message("%s\n", BREACHES[i].name);
		if (BREACHES[i].n_control)
			rude_begin(r, BREACHES[i].control, BREACHES[i].n_control);
		world_run(w, 50 * MS);
		if (BREACHES[i].n)
			rude_datagram(r, BREACHES[i].datagram, BREACHES[i].n);
		world_run(w, SECOND);
		closed = rude_closed(r, &code);
		assert_int_equal(closed, BREACHES[i].code != NONE);
		assert_int_equal(w->server.closed, closed);
		assert_int_equal(w->server.datagrams, 0);
		if (closed) {
			assert_int_equal(code, BREACHES[i].code);
			assert_int_equal(w->server.why.code, code);
			assert_int_equal(w->server.why.cause, QUIC_CAUSE_LOCAL);
		}
		rude_free(r);
		world_free(w);
	}
}

/* RFC 9297 s2.1.1: nothing is sent to a client that has not said that it takes datagrams. */
static void test_no_datagrams_asked(void **)
{
	struct world *w = world_new();
	struct rude *r = rude_client(w);
	uint8_t bytes[10] = {};
	struct iovec piece = {.iov_base = bytes, .iov_len = sizeof(bytes)};

	(void)rude_ask_tunnel(r, false);
	world_run(w, SECOND);
	assert_int_equal(w->server.requests, 1);
	assert_int_equal(quic_datagram_queue(w->server.stream, &piece, 1, 0), -EPROTO);
	assert_int_equal(quic_datagram_max(w->server.stream), 0);
	rude_begin(r, CONTROL(DATAGRAMS), 5);
	world_run(w, SECOND);
	assert_int_equal(quic_datagram_queue(w->server.stream, &piece, 1, 0), 0);
	assert_true(w->server.datagram_max > 1000);
	rude_free(r);
	world_free(w);
}

/* RFC 9221 s3: no frame is larger than the peer's max_datagram_frame_size, in all. */
static void test_frame_limit(void **)
{
	static const char *answer[] = {":status", "200", nullptr};
	struct world *w = world_new();
	struct rude *r = rude_server(w, 500);
	uint8_t bytes[600] = {};
	struct iovec piece = {.iov_base = bytes};

	rude_begin(r, CONTROL(DATAGRAMS, CONNECT_PROTOCOL), 7);
	world_run(w, SECOND);
	rude_answer(r, answer);
	world_run(w, SECOND);
	assert_in_range(w->client.datagram_max, 490, 499); /* type, length, Quarter Stream ID */
	piece.iov_len = w->client.datagram_max + 1;
	assert_int_equal(quic_datagram_queue(w->client.stream, &piece, 1, 0), -EMSGSIZE);
	piece.iov_len--;
	assert_int_equal(quic_datagram_queue(w->client.stream, &piece, 1, 0), 0);
	world_run(w, SECOND);
	assert_int_equal(w->client.closed, 0); /* the peer's library would have closed it */
	rude_free(r);
	world_free(w);
}

/* RFC 9297 s2.1: behind the end of a stream datagrams are dropped without a word, and none is sent
 * behind our own. */
static void test_datagrams_behind_the_end(void **)
{
	struct world *w = world_new();
	struct rude *r = rude_client(w);
	uint8_t bytes[10] = {};
	struct iovec piece = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	uint64_t code;

	rude_begin(r, CONTROL(DATAGRAMS), 5);
	(void)rude_ask_tunnel(r, true);
	world_run(w, SECOND);
	rude_datagram(r, (const uint8_t[]){0, 0, 0x45}, 3);
	world_run(w, SECOND);
	assert_int_equal(w->server.requests, 1);
	assert_int_equal(w->server.datagrams, 0);
	assert_int_equal(quic_datagram_queue(w->server.stream, &piece, 1, 0), 0);
	quic_stream_finish(w->server.stream);
	assert_int_equal(quic_datagram_queue(w->server.stream, &piece, 1, 0), -EPIPE);
	assert_int_equal(quic_datagram_max(w->server.stream), 0);
	assert_false(rude_closed(r, &code));
	rude_free(r);
	world_free(w);
}

/* The same at a client, of which the server has ended its side. */
static void test_datagrams_behind_a_servers_end(void **)
{
	static const char *answer[] = {":status", "200", nullptr};
	static const uint8_t datagram[] = {0, 0, 0x45};
	struct world *w = world_new();
	struct rude *r = rude_server(w, 65'535);

	rude_begin(r, CONTROL(DATAGRAMS, CONNECT_PROTOCOL), 7);
	world_run(w, SECOND);
	rude_answer(r, answer);
	rude_datagram(r, datagram, sizeof(datagram));
	world_run(w, SECOND);
	assert_int_equal(w->client.datagrams, 1);
	rude_write(r, 0, nullptr, 0, true);
	world_run(w, SECOND);
	rude_datagram(r, datagram, sizeof(datagram));
	world_run(w, SECOND);
	assert_int_equal(w->client.datagrams, 1);
	assert_int_equal(w->client.closed, 0);
	rude_free(r);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_datagram_without_meaning),
		cmocka_unit_test(test_breaches),
		cmocka_unit_test(test_no_datagrams_asked),
		cmocka_unit_test(test_frame_limit),
		cmocka_unit_test(test_datagrams_behind_the_end),
		cmocka_unit_test(test_datagrams_behind_a_servers_end),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
