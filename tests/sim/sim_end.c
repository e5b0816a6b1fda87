/* SPDX-License-Identifier: Apache-2.0 */
#include "sim_end.h"
#include "connip/datagram.h"
#include "connip_packets.h"
#include "lib/xmalloc.h"
#include "quic/connection.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What has to fit for IPv6. */
constexpr size_t WANTED = 1280;

struct sim_end *sim_end_new(struct world *w, struct quic_stream *s, enum connip_role role,
	const struct connip_policy *policy, const struct connip_events *events)
{
	struct sim_end *e = xcalloc(1, sizeof(*e));

	e->stream = s;
	e->session = connip_session_new(role, policy, events, e);
	patience_init(&e->patience, WANTED, w->now);
	quic_stream_set_data(s, e);
	sim_end_max(e, w->now);
	return e;
}

void sim_end_free(struct sim_end *e)
{
	connip_session_free(e->session);
	free(e);
}

void sim_end_flush(struct sim_end *e)
{
	size_t n;

	for (;;) {
		const uint8_t *bytes = connip_session_pending(e->session, &n);
		if (n == 0 || quic_stream_send(e->stream, bytes, n) < 0)
			return;
		connip_session_sent(e->session, n);
	}
}

void sim_end_bytes(struct sim_end *e, const uint8_t *bytes, size_t n, bool fin, uint64_t now_ns)
{
	if (connip_session_receive(e->session, bytes, n, fin, now_ns) < 0)
		fail_msg("fault %d", (int)connip_session_fault(e->session));
	sim_end_flush(e);
}

/* Determined by its serial but for the size. */
static void build(const struct sim_flow *f, uint32_t serial, size_t payload, struct wire *out)
{
	const char *from = f->from[serial % 2], *to = f->to[serial % 2];
	const struct made m = {from, to, IPPROTO_UDP, .payload = payload};

	made_build(&m, out);
	memcpy(out->b + out->n - sizeof(serial), &serial, sizeof(serial));
}

/* All else is what one session tells the other. */
static bool is_ours(const struct packet_bytes *bytes)
{
	return bytes->head[*bytes->head >> 4 == 4 ? 9 : 6] == IPPROTO_UDP;
}

static void check(struct sim_flow *f, const struct packet_bytes *bytes)
{
	size_t head = 0;
	uint32_t serial;
	struct wire expected = {};

	memcpy(&serial, bytes->head + bytes->head_n - sizeof(serial), sizeof(serial));
	assert_in_range(serial, 0, f->sent - 1);
	head = serial % 2 ? 48 : 28;
	assert_true(bytes->head_n > head);
	build(f, serial, bytes->head_n - head, &expected);
	assert_int_equal(bytes->head_n, expected.n);
	assert_memory_equal(bytes->head, expected.b, expected.n);
	assert_false(f->seen[serial]);
	f->seen[serial] = true;
	f->arrived++;
}

static int queue(struct sim_end *e, const uint8_t *packet, size_t n)
{
	uint8_t copy[2048];

	copy[0] = DATAGRAM_PACKET[0];
	memcpy(copy + 1, packet, n);
	const struct iovec piece = {copy, n + 1};
	return quic_datagram_queue(e->stream, &piece, 1, 0);
}

/* While lists change, a packet may be too late, or too early. */
static bool may_be(enum connip_pass pass)
{
	return pass == CONNIP_TAKEN || pass == CONNIP_LINK_LOCAL || pass == CONNIP_BAD_SOURCE ||
	       pass == CONNIP_NO_ROUTE;
}

void sim_end_datagram(struct sim_end *e, const uint8_t *payload, size_t n, uint64_t now_ns)
{
	struct connip_answer answer = {};
	size_t at = 0;

	assert_int_equal(datagram_read(payload, n, &at), DATAGRAM_IS_PACKET);
	const struct packet_bytes bytes = {payload + at, n - at, nullptr, 0};
	enum connip_pass pass = connip_packet_in(e->session, &bytes, now_ns, &answer);
	if (pass == CONNIP_PASS && is_ours(&bytes))
		check(e->in, &bytes);
	else if (pass != CONNIP_PASS && !may_be(pass))
		fail_msg("%s", connip_pass_str(pass));
	if (answer.n)
		(void)queue(e, answer.bytes, answer.n);
}

/* It comes to a fault while another path is not validated: IPv6 does not fit. */
static void tell_mtu(struct sim_end *e, enum patience_word word)
{
	if (word != PATIENCE_NOTHING &&
		connip_session_set_mtu(e->session, e->patience.size, word == PATIENCE_SETTLED) < 0)
		quic_stream_abort(e->stream, connip_fault_code(connip_session_fault(e->session)));
}

void sim_end_max(struct sim_end *e, uint64_t now_ns)
{
	size_t max = quic_datagram_max(e->stream);
	size_t size = max > sizeof(DATAGRAM_PACKET) ? max - sizeof(DATAGRAM_PACKET) : 0;

	tell_mtu(e, patience_size(&e->patience, size, now_ns));
}

void sim_end_expire(struct sim_end *e, uint64_t now_ns)
{
	const struct quic_connection *c = quic_stream_connection(e->stream);
	uint8_t probe[ICMP_MESSAGE_MAX];

	if (e->patience.due_ns <= now_ns)
		tell_mtu(e, patience_expire(
				    &e->patience, quic_connection_figures(c).unacked_ns, now_ns));
	if (connip_session_expiry_ns(e->session) <= now_ns) {
		ssize_t n = connip_session_expire(e->session, now_ns, probe);
		assert_true(n >= 0);
		if (n > 0)
			(void)queue(e, probe, (size_t)n);
	}
	sim_end_flush(e);
}

void sim_end_send(struct sim_end *e, struct world *w)
{
	struct sim_flow *f = e->out;
	struct connip_answer answer;
	struct wire wire = {};
	uint32_t serial = f->sent;

	assert_true(serial < SIM_PACKETS);
	if (!*f->from[serial % 2] || !*f->to[serial % 2])
		return;
	build(f, serial, 8 + world_random(w) % 1000, &wire);
	const struct packet_bytes bytes = made_bytes(&wire);
	if (connip_packet_out(e->session, &bytes, w->now, &answer) != CONNIP_PASS)
		return;
	if (queue(e, wire.b, wire.n) == 0)
		f->sent++;
}
