/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/3 as the RFCs want it, against a peer that does as it likes: requests, answers, servers.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "quic/varint.h"
#include "quic_meet.h"

constexpr uint64_t NONE = UINT64_MAX;
#define MAX_FIELDS 14

/* What a client asks, and how the server takes it: a status, the code of a reset, or the owner. */
static const struct {
	const char *name;
	const char *fields[MAX_FIELDS];
	unsigned int status; /* 0 = none */
	uint64_t reset;
	bool told;
} REQUESTS[] = {
	{"RFC 9484 s4.4: what is wanted", REQUEST(":protocol", "connect-ip"), 200, NONE, true},
	{"RFC 9297 s3.4: a parameter is ignored",
		REQUEST(":protocol", "connect-ip", "capsule-protocol", "?1;x=y"), 200, NONE, true},
	{"RFC 9220 s3: another protocol", REQUEST(":protocol", "websocket"), 501, NONE, false},
	{"RFC 9114 s4.4: a plain CONNECT", {":method", "CONNECT", ":authority", "example.com:443"},
		501, NONE, false},
	{"RFC 9110 s15.5.6: another method",
		{":method", "GET", ":scheme", "https", ":authority", "edge.mesh", ":path", "/"},
		405, NONE, false},
	{"RFC 9297 s3.2: Content-Length", REQUEST(":protocol", "connect-ip", "content-length", "5"),
		0, QUIC_H3_MESSAGE_ERROR, false},
	{"RFC 9297 s3.2: Content-Type",
		REQUEST(":protocol", "connect-ip", "content-type", "text/plain"), 0,
		QUIC_H3_MESSAGE_ERROR, false},
	{"RFC 9114 s4.2: Transfer-Encoding",
		REQUEST(":protocol", "connect-ip", "transfer-encoding", "chunked"), 0,
		QUIC_H3_MESSAGE_ERROR, false},
	{"RFC 9114 s4.3.1: no path",
		{":method", "CONNECT", ":protocol", "connect-ip", ":scheme", "https", ":authority",
			"edge.mesh"},
		0, QUIC_H3_MESSAGE_ERROR, false},
};

static void test_requests(void **)
{
	for (size_t i = 0; i < sizeof(REQUESTS) / sizeof(*REQUESTS); i++) {
		struct world *w = world_new();
		struct rude *r = rude_client(w);
		int64_t id;
		const struct rude_stream *s;
		uint64_t code;

		print_message("%s\n", REQUESTS[i].name);
		rude_begin(r, CONTROL(DATAGRAMS), 5);
		id = rude_ask(r, REQUESTS[i].fields, false);
		world_run(w, SECOND);
		s = rude_stream(r, id);
		assert_non_null(s);
		assert_int_equal(w->server.requests, REQUESTS[i].told);
		assert_int_equal(s->reset, REQUESTS[i].reset);
		assert_false(rude_closed(r, &code));
		assert_int_equal(rude_status(s), REQUESTS[i].status);
		assert_int_equal(s->fin, REQUESTS[i].status && !REQUESTS[i].told);
		rude_free(r);
		world_free(w);
	}
}

static void answer_400(struct world_side *, struct quic_stream *s)
{
	assert_int_equal(quic_stream_respond(s, 400, nullptr, 0), 0);
}

/* RFC 9484 s4.1, RFC 9114 s4.1.2: a malformed request is a stream error, with or without an answer.
 */
static void test_answer_to_malformed(void **)
{
	struct world *w = world_new();
	struct rude *r;

	w->server.on_request = answer_400;
	r = rude_client(w);
	rude_begin(r, CONTROL(DATAGRAMS), 5);
	(void)rude_ask_tunnel(r, false);
	world_run(w, SECOND);
	assert_int_equal(rude_status(rude_stream(r, 0)), 400);
	assert_true(rude_stream(r, 0)->fin);
	assert_int_equal(rude_stream(r, 0)->stopped, QUIC_H3_MESSAGE_ERROR);
	rude_free(r);
	world_free(w);
}

/* Fields without end: refused, not kept. */
static void test_large_request(void **)
{
	struct world *w = world_new();
	struct rude *r = rude_client(w);
	static char value[9000];
	const char *fields[] = REQUEST(":protocol", "connect-ip", "x", value, nullptr);
	int64_t id;

	memset(value, 'v', sizeof(value) - 1);
	rude_begin(r, CONTROL(DATAGRAMS), 5);
	id = rude_ask(r, fields, false);
	world_run(w, SECOND);
	assert_int_equal(rude_status(rude_stream(r, id)), 431);
	assert_int_equal(w->server.requests, 0);
	rude_free(r);
	world_free(w);
}

/* What a server offers, and whether our client asks it for a tunnel. */
static const struct {
	const char *name;
	uint8_t control[12];
	size_t n_control;
	uint64_t datagrams;
	bool ignore;
	bool asks;
	uint64_t code; /* of the connection's end, if it does not ask; NONE = it waits */
} SERVERS[] = {
	{"all there", {0, 4, 4, DATAGRAMS, CONNECT_PROTOCOL}, 7, 65'535, false, true, 0},
	{"RFC 9220 s3: not without the setting", {0, 4, 2, DATAGRAMS}, 5, 65'535, false, false,
		QUIC_H3_SETTINGS_ERROR},
	{"… unless told to", {0, 4, 2, DATAGRAMS}, 5, 65'535, true, true, 0},
	{"RFC 9220 s3: the setting is off", {0, 4, 4, DATAGRAMS, 0x08, 0x00}, 7, 65'535, false,
		false, QUIC_H3_SETTINGS_ERROR},
	{"RFC 8441 s3: the setting is 2", {0, 4, 4, DATAGRAMS, 0x08, 0x02}, 7, 65'535, false, false,
		QUIC_H3_SETTINGS_ERROR},
	{"RFC 9297 s2.1.1: no HTTP datagrams", {0, 4, 2, CONNECT_PROTOCOL}, 5, 65'535, false, false,
		QUIC_H3_SETTINGS_ERROR},
	{"RFC 9221 s3: no QUIC datagrams", {0, 4, 4, DATAGRAMS, CONNECT_PROTOCOL}, 7, 0, false,
		false, QUIC_H3_SETTINGS_ERROR},
	{"no SETTINGS yet", {}, 0, 65'535, true, false, NONE},
};

static void test_servers(void **)
{
	for (size_t i = 0; i < sizeof(SERVERS) / sizeof(*SERVERS); i++) {
		struct world *w = world_new();
		struct rude *r;
		uint64_t code;

		print_message("%s\n", SERVERS[i].name);
		w->client.config.dialect.ignore_missing_connect_protocol = SERVERS[i].ignore;
		r = rude_server(w, SERVERS[i].datagrams);
		if (SERVERS[i].n_control)
			rude_begin(r, SERVERS[i].control, SERVERS[i].n_control);
		world_run(w, SECOND);
		assert_int_equal(rude_stream(r, 0) != nullptr, SERVERS[i].asks);
		assert_int_equal(
			rude_closed(r, &code), !SERVERS[i].asks && SERVERS[i].code != NONE);
		if (rude_closed(r, &code))
			assert_int_equal(code, SERVERS[i].code);
		assert_int_equal(w->client.ended, rude_closed(r, &code));
		rude_free(r);
		world_free(w);
	}
}

/* How a server answers, and what our client makes of it. */
static const struct {
	const char *name;
	const char *fields[MAX_FIELDS];
	unsigned int status; /* that the owner is told; 0 = none */
	bool open;
	uint64_t reset;
} ANSWERS[] = {
	{"RFC 9484 s4.5", {":status", "200", "capsule-protocol", "?1"}, 200, true, NONE},
	{"any 2xx", {":status", "299"}, 299, true, NONE},
	{"RFC 9110 s15.2: not final", {":status", "103"}, 0, false, NONE},
	{"RFC 9484 s4.5: a redirection is a failure", {":status", "302", "location", "/"}, 302,
		false, QUIC_H3_REQUEST_CANCELLED},
	{"refused", {":status", "403", "proxy-status", "edge; error=connection_refused"}, 403,
		false, QUIC_H3_REQUEST_CANCELLED},
	{"RFC 9297 s3.2: 204", {":status", "204"}, 0, false, QUIC_H3_MESSAGE_ERROR},
	{"RFC 9297 s3.2: 206", {":status", "206"}, 0, false, QUIC_H3_MESSAGE_ERROR},
	{"RFC 9297 s3.2: Content-Type", {":status", "200", "content-type", "x/y"}, 0, false,
		QUIC_H3_MESSAGE_ERROR},
};

static void test_answers(void **)
{
	for (size_t i = 0; i < sizeof(ANSWERS) / sizeof(*ANSWERS); i++) {
		struct world *w = world_new();
		struct rude *r = rude_server(w, 65'535);

		print_message("%s\n", ANSWERS[i].name);
		rude_begin(r, CONTROL(DATAGRAMS, CONNECT_PROTOCOL), 7);
		world_run(w, SECOND);
		rude_answer(r, ANSWERS[i].fields);
		world_run(w, SECOND);
		assert_int_equal(w->client.status, ANSWERS[i].status);
		assert_int_equal(w->client.datagram_max > 0, ANSWERS[i].open);
		assert_int_equal(rude_stream(r, 0)->reset, ANSWERS[i].reset);
		assert_int_equal(w->client.ended, ANSWERS[i].reset != NONE);
		rude_free(r);
		world_free(w);
	}
}

/* The dialect's settings are in the first frame, and the stream goes on behind it. */
static void test_extra_settings(void **)
{
	static const struct quic_setting extra[] = {{0x276, 1}, {0x4000, 7}};
	static const uint8_t wire[] = {0x42, 0x76, 0x01, 0x80, 0x00, 0x40, 0x00, 0x07};
	struct world *w = world_new();
	const struct rude_stream *s;
	struct rude *r;

	w->client.config.dialect.settings = extra;
	w->client.config.dialect.n_settings = 2;
	r = rude_server(w, 65'535);
	rude_begin(r, CONTROL(DATAGRAMS, CONNECT_PROTOCOL), 7);
	world_run(w, SECOND);
	s = rude_stream(r, 2);
	assert_non_null(s);
	assert_int_equal(s->bytes[0], 0x00);
	assert_int_equal(s->bytes[1], 0x04);
	assert_int_equal(s->n, 3U + s->bytes[2]);
	assert_memory_equal(s->bytes + s->n - sizeof(wire), wire, sizeof(wire));
	assert_non_null(memmem(s->bytes, s->n, "\x33\x01", 2));
	assert_non_null(rude_stream(r, 0));
	rude_free(r);
	world_free(w);
}

/* … and an endpoint of ours does not mind them. */
static void test_extra_settings_accepted(void **)
{
	static const struct quic_setting extra[] = {{0x276, 1}};
	struct world *w = world_new();

	w->client.config.dialect.settings = w->server.config.dialect.settings = extra;
	w->client.config.dialect.n_settings = w->server.config.dialect.n_settings = 1;
	w->net.loss = 100;
	world_start(w);
	world_dial(w);
	assert_true(world_until(w, world_opened, 20));
	world_run(w, 5 * SECOND);
	assert_int_equal(w->client.closed + w->server.closed, 0);
	world_free(w);
}

/* All streams have two of them: what comes too early costs more than its bytes. */
static void test_room(void **)
{
	struct world *w = world_new();
	struct rude *r = rude_client(w);

	assert_int_equal(rude_room(r), 2 * (64 << 10));
	rude_free(r);
	world_free(w);
}

/* Every second byte of a stream, each in a frame of its own (RFC 9000 s19.8). */
static void tear(struct world *w, struct rude *r, int64_t stream, uint64_t end)
{
	uint8_t frames[RUDE_FRAMES];
	size_t n = 0;
	uint64_t code;

	for (uint64_t at = 1; at < end && !rude_closed(r, &code); at += 2) {
		frames[n++] = 0x0e; /* with offset and length */
		n += quic_varint_write(frames + n, (uint64_t)stream);
		n += quic_varint_write(frames + n, at);
		frames[n++] = 1;
		frames[n++] = 'x';
		if (n + 20 <= sizeof(frames) && at + 2 < end)
			continue;
		rude_frames(r, frames, n);
		world_run(w, 50 * MS);
		n = 0;
	}
}

/* In one stream the library allows 4000 gaps. In all together they have a limit, too, which one
 * who has lost much does not reach. */
static void test_torn(void **)
{
	for (unsigned int streams = 1; streams <= 8; streams += 7) {
		struct world *w = world_new();
		struct rude *r = rude_client(w);
		uint64_t code = NONE;

		for (unsigned int i = 0; i < streams; i++)
			tear(w, r, rude_open(r, false), 7900);
		world_run(w, SECOND);
		assert_int_equal(rude_closed(r, &code), streams > 1);
		assert_int_equal(w->server.closed, streams > 1);
		if (streams > 1) {
			assert_int_equal(code, QUIC_H3_EXCESSIVE_LOAD);
			assert_true(w->server.why.application);
			assert_int_equal(w->server.why.cause, QUIC_CAUSE_LOCAL);
			assert_string_equal(w->server.reason, "too much came with gaps before it");
		}
		rude_free(r);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_answer_to_malformed),
		cmocka_unit_test(test_large_request),
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_extra_settings),
		cmocka_unit_test(test_extra_settings_accepted),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_torn),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
