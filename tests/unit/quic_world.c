/* SPDX-License-Identifier: Apache-2.0 */
#define OPENSSL_SUPPRESS_DEPRECATED /* the only way to make all of OpenSSL repeat itself */
#include "quic_world.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/rand.h>

#include "lib/xmalloc.h"

struct world_packet {
	struct world_packet *next;
	struct world_side *to;
	union quic_address from;
	union quic_address at; /* where it was sent to */
	uint64_t due;
	uint8_t ecn;
	size_t n;
	uint8_t bytes[];
};

static void on_established(void *user, struct quic_connection *c, const struct quic_peer *peer)
{
	struct world_side *s = user;

	s->established++;
	s->connection = c;
	s->peer = *peer;
}

static void on_closed(void *user, struct quic_connection *c, const struct quic_closed *why)
{
	struct world_side *s = user;

	s->closed++;
	s->why = *why;
	snprintf(s->reason, sizeof(s->reason), "%s", why->reason);
	if (s->connection == c)
		s->connection = nullptr;
}

static void on_moved(void *user, struct quic_connection *, const struct quic_path *)
{
	((struct world_side *)user)->moved++;
}

static void on_silent(void *user, struct quic_connection *c, bool silent)
{
	const struct world_side *s = user;

	if (s->on_silent)
		s->on_silent(user, c, silent);
}

static void on_request(void *user, struct quic_stream *stream, const struct quic_request *request)
{
	struct world_side *s = user;

	s->requests++;
	s->stream = stream;
	s->capsules = request->capsules;
	snprintf(s->path, sizeof(s->path), "%s", request->path);
	if (s->on_request)
		s->on_request(s, stream);
	else
		assert_int_equal(quic_stream_respond(stream, s->status, nullptr, 0), 0);
}

static void on_response(void *user, struct quic_stream *, const struct quic_response *response)
{
	struct world_side *s = user;

	s->responses++;
	s->status = response->status;
	s->capsules = response->capsules;
}

static void on_bytes(void *user, struct quic_stream *, const uint8_t *bytes, size_t n)
{
	struct world_side *s = user;

	if (n <= sizeof(s->bytes) - s->n_bytes)
		memcpy(s->bytes + s->n_bytes, bytes, n);
	s->n_bytes += n;
}

static void on_finished(void *user, struct quic_stream *)
{
	((struct world_side *)user)->finished++;
}

static void on_writable(void *user, struct quic_stream *)
{
	((struct world_side *)user)->writable++;
}

static void on_ended(void *user, struct quic_stream *stream, enum quic_end end, uint64_t code)
{
	struct world_side *s = user;

	s->ended++;
	s->end = end;
	s->end_code = code;
	if (s->stream == stream)
		s->stream = nullptr;
}

static void on_datagram(void *user, struct quic_stream *, const uint8_t *bytes, size_t n)
{
	struct world_side *s = user;

	s->datagrams++;
	s->last_length = n < sizeof(s->last) ? n : sizeof(s->last);
	memcpy(s->last, bytes, s->last_length);
	if (s->on_datagram)
		s->on_datagram(s, bytes, n);
}

static void on_datagram_max(void *user, struct quic_stream *, size_t max)
{
	struct world_side *s = user;

	s->datagram_max = max;
	s->datagram_max_changes++;
}

static void on_room(void *user, struct quic_connection *)
{
	((struct world_side *)user)->room++;
}

static const struct quic_events EVENTS = {
	.established = on_established,
	.closed = on_closed,
	.moved = on_moved,
	.silent = on_silent,
	.request = on_request,
	.response = on_response,
	.bytes = on_bytes,
	.finished = on_finished,
	.writable = on_writable,
	.ended = on_ended,
	.datagram = on_datagram,
	.datagram_max = on_datagram_max,
	.datagram_room = on_room,
};

static void set_address(union quic_address *a, const char *text, in_port_t port)
{
	a->in.sin_family = AF_INET;
	a->in.sin_port = htons(port);
	inet_pton(AF_INET, text, &a->in.sin_addr);
}

static void introduce(struct world_side *s, const struct world_side *other)
{
	s->config.identity = (struct quic_identity){
		.certificate = s->identity.certificate,
		.key = s->identity.key,
		.pins = other->identity.pin,
		.n_pins = 1,
	};
}

static uint64_t seed;

static int repeat(unsigned char *out, int n)
{
	for (int i = 0; i < n; i++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		out[i] = (unsigned char)(seed >> 56);
	}
	return 1;
}

static int ready(void)
{
	return 1;
}

static void begin_anew(void)
{
	static const RAND_METHOD method = {.bytes = repeat, .pseudorand = repeat, .status = ready};

	seed = 1;
	RAND_set_rand_method(&method);
}

struct world *world_new(void)
{
	struct world *w = xcalloc(1, sizeof(*w));

	begin_anew();
	w->now = SECOND;
	w->client.world = w->server.world = w;
	set_address(&w->client.address, "192.0.2.1", 40'000);
	set_address(&w->server.address, "198.51.100.1", 443);
	w->net = (struct world_net){.delay_ns = 10 * MS, .mtu = 1472, .seed = 1};
	test_identity_make(&w->client.identity, "ED25519", "site1.mesh");
	test_identity_make(&w->server.identity, "P-256", "edge.mesh");
	introduce(&w->client, &w->server);
	introduce(&w->server, &w->client);
	w->server.config.accept = true;
	w->server.status = 200;
	return w;
}

void world_stop_side(struct world_side *s)
{
	quic_endpoint_free(s->endpoint);
	s->endpoint = nullptr;
	s->stream = nullptr;
	s->connection = nullptr;
}

void world_reset(struct world_side *s)
{
	constexpr size_t begin = offsetof(struct world_side, connection);
	unsigned int status = s == &s->world->server ? s->status : 0;

	memset((uint8_t *)s + begin, 0, offsetof(struct world_side, on_datagram) - begin);
	s->status = status;
}

void world_free(struct world *w)
{
	world_stop_side(&w->client);
	world_stop_side(&w->server);
	test_identity_clear(&w->client.identity);
	test_identity_clear(&w->server.identity);
	while (w->packets) {
		struct world_packet *next = w->packets->next;

		free(w->packets);
		w->packets = next;
	}
	free(w);
}

void world_start_side(struct world_side *s)
{
	struct err err = {};
	int r = quic_endpoint_new(
		&s->endpoint, &s->config, s->events ? s->events : &EVENTS, s, s->world->now, &err);

	if (r < 0)
		fail_msg("%s", err.msg);
}

void world_start(struct world *w)
{
	world_start_side(&w->client);
	world_start_side(&w->server);
}

void world_dial(struct world *w)
{
	struct quic_dial dial = {
		.path = {.local = w->client.address, .remote = w->server.address, .socket = 7},
		.server_name = w->server_name ? w->server_name : "edge.mesh",
		.request = {.protocol = "connect-ip",
			.scheme = "https",
			.authority = "edge.mesh",
			.path = "/.well-known/masque/ip/*/*/",
			.capsules = true},
	};
	struct err err = {};

	if (quic_connect(w->client.endpoint, &dial, w->now, &w->client.stream, &err) < 0)
		fail_msg("%s", err.msg);
	w->client.connection = quic_stream_connection(w->client.stream);
}

/* xorshift64* */
uint64_t world_random(struct world *w)
{
	uint64_t x = w->net.seed;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	w->net.seed = x;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

static bool chance(struct world *w, unsigned int per_mille)
{
	return per_mille && world_random(w) % 1000 < per_mille;
}

static struct world_side *side_at(struct world *w, const union quic_address *a)
{
	if (quic_address_equal(&w->server.address, a))
		return &w->server;
	return quic_address_equal(&w->client.address, a) || quic_address_equal(&w->nat, a)
		       ? &w->client
		       : nullptr;
}

/* The client does not see that a NAT stands before it. */
static void translate(const struct world *w, struct world_packet *p)
{
	if (w->nat.sa.sa_family == AF_UNSPEC)
		return;
	if (p->to == &w->server)
		p->from = w->nat;
	else if (quic_address_equal(&p->at, &w->nat))
		p->at = w->client.address;
}

/* Behind all that are due at the same time: without jitter nothing overtakes. */
static void put(struct world *w, struct world_side *to, const struct quic_run *one)
{
	struct world_packet *p = xcalloc(1, sizeof(*p) + one->length);
	struct world_packet **at = &w->packets;

	p->to = to;
	p->from = one->path.local;
	p->at = one->path.remote;
	translate(w, p);
	p->ecn = one->ecn;
	p->n = one->length;
	p->due = w->now + w->net.delay_ns +
		 (w->net.jitter_ns ? world_random(w) % w->net.jitter_ns : 0);
	memcpy(p->bytes, one->bytes, p->n);
	while (*at && (*at)->due <= p->due)
		at = &(*at)->next;
	p->next = *at;
	*at = p;
}

static void transmit(struct world_side *from, const struct quic_run *one)
{
	struct world *w = from->world;
	struct world_side *to = side_at(w, &one->path.remote);

	from->sent++;
	from->largest = one->length > from->largest ? one->length : from->largest;
	if (w->tap)
		w->tap(w, from, one);
	if (!to || w->net.dead || from->mute || one->length > w->net.mtu || chance(w, w->net.loss))
		return;
	put(w, to, one);
	if (chance(w, w->net.duplicate))
		put(w, to, one);
}

static void transmit_all(struct world_side *s, struct quic_batch *b)
{
	for (size_t i = 0; i < b->n_runs; i++)
		for (size_t at = 0; at < b->runs[i].length; at += b->runs[i].segment) {
			struct quic_run one = b->runs[i];

			one.bytes += at;
			one.length -= at;
			if (one.length > one.segment)
				one.length = one.segment;
			transmit(s, &one);
		}
	quic_batch_reset(b);
}

static void write_all(struct world_side *s, struct quic_batch *b)
{
	bool more = s->endpoint;

	while (more) {
		more = quic_endpoint_write(s->endpoint, b, s->world->now);
		transmit_all(s, b);
	}
}

void world_transmit(struct world_side *from, const uint8_t *bytes, size_t n)
{
	struct world *w = from->world;
	struct world_side *to = from == &w->client ? &w->server : &w->client;
	struct quic_run one = {.bytes = bytes,
		.length = n,
		.segment = n,
		.path = {.local = from->address, .remote = to->address}};

	transmit(from, &one);
}

static void flush(struct world_side *s)
{
	struct quic_run runs[64];
	struct quic_batch b;

	if (s->other.it) {
		s->other.flush(s->other.it);
		return;
	}

	quic_batch_init(&b, s->world->buffer, sizeof(s->world->buffer), runs, 64);
	write_all(s, &b);
}

int world_send(struct world_side *s, const uint8_t *bytes, size_t n)
{
	struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n};
	struct quic_run runs[64];
	struct quic_batch b;
	int r;

	quic_batch_init(&b, s->world->buffer, sizeof(s->world->buffer), runs, 64);
	r = quic_datagram_send(s->stream, &piece, 1, 0, &b, s->world->now);
	write_all(s, &b);
	return r;
}

void world_inject(
	struct world_side *to, const union quic_address *from, const uint8_t *bytes, size_t n)
{
	struct quic_run one = {
		.bytes = bytes,
		.length = n,
		.segment = n,
		.path = {.local = to->address, .remote = *from, .socket = 7},
	};

	if (to->endpoint)
		quic_endpoint_receive(to->endpoint, &one, to->world->now);
}

static void deliver(struct world *w)
{
	while (w->packets && w->packets->due <= w->now) {
		struct world_packet *p = w->packets;
		struct quic_run one = {
			.bytes = p->bytes,
			.length = p->n,
			.segment = p->n,
			.ecn = p->ecn,
			.path = {.local = p->at, .remote = p->from, .socket = 7},
		};

		w->packets = p->next;
		if (p->to->other.it)
			p->to->other.receive(p->to->other.it, &one);
		else if (p->to->endpoint && quic_address_equal(&p->to->address, &p->at))
			quic_endpoint_receive(p->to->endpoint, &one, w->now);
		free(p);
	}
}

static uint64_t expiry(const struct world_side *s)
{
	if (s->other.it)
		return s->other.expiry(s->other.it);
	return s->endpoint ? quic_endpoint_expiry_ns(s->endpoint) : UINT64_MAX;
}

static void expire(struct world_side *s)
{
	if (s->other.it)
		s->other.expire(s->other.it);
	else if (s->endpoint)
		quic_endpoint_expire(s->endpoint, s->world->now);
}

/* One event, not beyond the limit. False: nothing was left before it. */
static bool step(struct world *w, uint64_t limit)
{
	uint64_t next;

	flush(&w->client);
	flush(&w->server);
	next = w->packets ? w->packets->due : UINT64_MAX;
	if (expiry(&w->client) < next)
		next = expiry(&w->client);
	if (expiry(&w->server) < next)
		next = expiry(&w->server);
	if (next > limit) {
		w->now = limit;
		return false;
	}
	if (next > w->now)
		w->now = next;
	deliver(w);
	expire(&w->client);
	expire(&w->server);
	return true;
}

bool world_until(struct world *w, bool (*condition)(struct world *), uint64_t seconds)
{
	uint64_t limit = w->now + seconds * SECOND;

	while (!condition(w))
		if (!step(w, limit))
			return condition(w);
	return true;
}

void world_run(struct world *w, uint64_t ns)
{
	uint64_t limit = w->now + ns;

	while (step(w, limit))
		;
}

bool world_opened(struct world *w)
{
	return w->client.responses > 0 && w->client.datagram_max > 0 && w->server.datagram_max > 0;
}

bool world_closed(struct world *w)
{
	return w->client.closed > 0 && w->server.closed > 0;
}
