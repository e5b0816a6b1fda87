/* SPDX-License-Identifier: Apache-2.0 */
#include "lane.h"
#include "connip/datagram.h"
#include "connip/packet.h"
#include "connip/patience.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include "pump.h"
#include "quic/connection.h"
#include "share.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

constexpr size_t SEND_MAX = 16 * 1024;
constexpr size_t CONTEXT_BYTES = sizeof(DATAGRAM_PACKET);

struct lane {
	struct connip_session *session;
	struct quic_stream *stream;
	struct tun *tun;
	struct lane_events events;
	void *data;
	sd_event *event;
	sd_event_source *timer;
	struct patience patience; /* with the size of the path */
	uint64_t now_ns;          /* of the call that is under way */
	bool failed;
	struct share_part part;
	struct troubles *troubles;
	char who[64];
	struct lane_told told;
};

/* What the session has to say. */

static void complain(struct lane *l)
{
	enum connip_fault fault = connip_session_fault(l->session);

	if (fault == CONNIP_FAULT_MTU)
		trouble_note(l->troubles, TROUBLE_NARROW, l->who,
			"packets of %zu bytes get through, IPv6 needs 1280", l->patience.size);
	else
		trouble_note(l->troubles, TROUBLE_BREACH, l->who, "its request was ended: %s",
			connip_fault_str(fault));
}

static void fail(struct lane *l)
{
	enum connip_fault fault = connip_session_fault(l->session);

	if (l->failed)
		return;
	l->failed = true;
	log_warn("tunnel", "request aborted fault=\"%s\"", connip_fault_str(fault));
	complain(l);
	quic_stream_abort(l->stream, connip_fault_code(fault));
}

static void send_pending(struct lane *l)
{
	size_t n;

	for (;;) {
		const uint8_t *bytes = connip_session_pending(l->session, &n);
		if (n > SEND_MAX)
			n = SEND_MAX;
		/* -EAGAIN: `writable` comes; else it is ending. */
		if (n == 0 || quic_stream_send(l->stream, bytes, n) < 0)
			return;
		connip_session_sent(l->session, n);
	}
}

static void set_timer(struct lane *l)
{
	uint64_t ns = connip_session_expiry_ns(l->session);

	if (l->patience.due_ns < ns)
		ns = l->patience.due_ns;
	if (ns == UINT64_MAX) {
		(void)sd_event_source_set_enabled(l->timer, SD_EVENT_OFF);
		return;
	}
	(void)sd_event_source_set_time(l->timer, ns / 1000 + 1);
	(void)sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT);
}

void lane_flush(struct lane *l)
{
	send_pending(l);
	set_timer(l);
}

static void queue_to_peer(struct lane *l, const uint8_t *packet, size_t n)
{
	uint8_t context[CONTEXT_BYTES];
	uint8_t copy[ICMP_MESSAGE_MAX];

	memcpy(context, DATAGRAM_PACKET, CONTEXT_BYTES);
	memcpy(copy, packet, n);
	const struct iovec pieces[] = {{context, CONTEXT_BYTES}, {copy, n}};
	/* Full: it is lost, as a message about a loss may be. */
	(void)quic_datagram_queue(l->stream, pieces, 2, packet_dscp(packet, n));
}

/* The size that counts for packets from the kernel. */
static void tell_mtu(struct lane *l, enum patience_word word)
{
	if (word != PATIENCE_NOTHING &&
		connip_session_set_mtu(l->session, l->patience.size, word == PATIENCE_SETTLED) < 0)
		fail(l);
}

static void lose_patience(struct lane *l)
{
	const struct quic_connection *c = quic_stream_connection(l->stream);
	uint64_t unacked_ns = quic_connection_figures(c).unacked_ns;

	tell_mtu(l, patience_expire(&l->patience, unacked_ns, l->now_ns));
}

static int on_timer(sd_event_source *, uint64_t, void *userdata)
{
	struct lane *l = userdata;
	uint8_t probe[ICMP_MESSAGE_MAX];

	l->now_ns = pump_now_ns();
	if (l->patience.due_ns <= l->now_ns)
		lose_patience(l);
	if (connip_session_expiry_ns(l->session) <= l->now_ns) {
		ssize_t n = connip_session_expire(l->session, l->now_ns, probe);
		if (n < 0)
			fail(l);
		else if (n > 0)
			queue_to_peer(l, probe, (size_t)n);
	}
	lane_flush(l);
	l->events.turn(l->events.arg);
	return 0;
}

/* What the session tells. */

static void on_assigned(void *user, const struct connip_assigned *what)
{
	struct lane *l = user;

	free(l->told.addresses);
	l->told.addresses = xcalloc(what->n_accepted, sizeof(struct prefix));
	l->told.n_addresses = what->n_accepted;
	for (size_t i = 0; i < what->n_accepted; i++)
		l->told.addresses[i] = what->accepted[i].prefix;
	if (what->n_denied || what->n_refused)
		log_warn("tunnel", "addresses accepted=%zu denied=%zu refused=%zu",
			what->n_accepted, what->n_denied, what->n_refused);
	trouble_end(l->troubles, TROUBLE_EXCESS, l->who);
	l->told.heard = true;
	l->events.told(l->events.arg, l);
}

static void on_advertised(void *user, const struct connip_advertised *what)
{
	struct lane *l = user;

	free(l->told.routes);
	l->told.routes = xcalloc(what->n_accepted, sizeof(struct connip_range));
	l->told.n_routes = what->n_accepted;
	if (what->n_accepted)
		memcpy(l->told.routes, what->accepted,
			what->n_accepted * sizeof(struct connip_range));
	if (what->narrowed)
		log_warn("tunnel", "routes announced=%zu outside_of_what_is_accepted=%zu",
			what->announced, what->narrowed);
	trouble_end(l->troubles, TROUBLE_EXCESS, l->who);
	l->told.heard = true;
	l->events.told(l->events.arg, l);
}

static void on_requested(void *user, const struct connip_address *list, size_t n)
{
	struct lane *l = user;

	if (l->events.requested)
		l->events.requested(l->events.arg, l, list, n);
}

static void on_exceeded(void *user, enum connip_excess what, size_t most)
{
	const struct lane *l = user;

	trouble_note(l->troubles, TROUBLE_EXCESS, l->who,
		"it told of more %s than are taken: %zu; the rest is passed over",
		connip_excess_str(what), most);
}

static void on_datagram_capsule(void *user, const uint8_t *payload, size_t n)
{
	struct lane *l = user;

	lane_datagram(l, payload, n, l->now_ns);
}

static void on_probed(void *, bool answered)
{
	if (!answered)
		log_warn("tunnel", "no answer to a packet of 1280 bytes (RFC 9484 7.2)");
}

static const struct connip_events session_events = {
	.assigned = on_assigned,
	.advertised = on_advertised,
	.requested = on_requested,
	.exceeded = on_exceeded,
	.datagram = on_datagram_capsule,
	.probed = on_probed,
};

/* Life. */

struct lane *lane_new(const struct lane_setup *setup, uint64_t now_ns)
{
	struct lane *l = xcalloc(1, sizeof(*l));

	*l = (struct lane){.stream = setup->stream,
		.tun = setup->tun,
		.events = *setup->events,
		.event = sd_event_ref(setup->event),
		.now_ns = now_ns,
		.troubles = setup->troubles};
	patience_init(&l->patience, setup->mtu, now_ns);
	snprintf(l->who, sizeof(l->who), "%s", setup->who);
	l->session = connip_session_new(setup->role, setup->policy, &session_events, l);
	if (sd_event_add_time(l->event, &l->timer, CLOCK_MONOTONIC, UINT64_MAX, 1000, on_timer, l) <
		0)
		out_of_memory();
	lane_max(l, quic_datagram_max(setup->stream));
	return l;
}

void lane_free(struct lane *l)
{
	if (!l)
		return;
	sd_event_source_disable_unref(l->timer);
	sd_event_unref(l->event);
	connip_session_free(l->session);
	free(l->told.addresses);
	free(l->told.routes);
	free(l);
}

struct connip_session *lane_session(struct lane *l)
{
	return l->session;
}

struct quic_stream *lane_stream(const struct lane *l)
{
	return l->stream;
}

const struct lane_told *lane_told(const struct lane *l)
{
	return &l->told;
}

size_t lane_carries(const struct lane *l)
{
	return patience_believes(&l->patience) ? l->patience.size : 0;
}

void *lane_data(const struct lane *l)
{
	return l->data;
}

void lane_set_data(struct lane *l, void *data)
{
	l->data = data;
}

/* In. */

void lane_bytes(struct lane *l, const uint8_t *bytes, size_t n, bool fin, uint64_t now_ns)
{
	if (l->failed)
		return;
	l->now_ns = now_ns;
	if (connip_session_receive(l->session, bytes, n, fin, now_ns) < 0) {
		fail(l);
		return;
	}
	if (fin)
		quic_stream_finish(l->stream);
	lane_flush(l);
}

void lane_datagram(struct lane *l, const uint8_t *payload, size_t n, uint64_t now_ns)
{
	struct connip_answer answer;
	size_t at;

	if (datagram_read(payload, n, &at) != DATAGRAM_IS_PACKET)
		return;
	answer.n = 0;
	const struct packet_bytes bytes = {.head = payload + at, .head_n = n - at};
	if (connip_packet_in(l->session, &bytes, now_ns, &answer) == CONNIP_PASS &&
		(!l->events.arrived || l->events.arrived(l->events.arg, l, &bytes, now_ns)))
		tun_write(l->tun, bytes.head, bytes.head_n);
	if (answer.n)
		queue_to_peer(l, answer.bytes, answer.n);
}

void lane_max(struct lane *l, size_t max)
{
	size_t size = max > CONTEXT_BYTES ? max - CONTEXT_BYTES : 0;

	tell_mtu(l, patience_size(&l->patience, size, pump_now_ns()));
	set_timer(l);
}

void lane_ended(struct lane *l)
{
	if (!l->failed && patience_ends_soon(&l->patience, pump_now_ns()) &&
		connip_session_set_mtu(l->session, l->patience.size, true) < 0)
		complain(l);
}

/* Out. */

void lane_ask(struct lane *l)
{
	uint8_t nothing[sizeof(DATAGRAM_NOTHING)];

	memcpy(nothing, DATAGRAM_NOTHING, sizeof(nothing));
	/* Full: it is being asked already. */
	(void)quic_datagram_queue(l->stream, &(struct iovec){nothing, sizeof(nothing)}, 1, 0);
}

bool lane_admit(struct lane *l, const struct packet_bytes *bytes, uint64_t now_ns)
{
	struct connip_answer answer;

	answer.n = 0;
	enum connip_pass pass = connip_packet_out(l->session, bytes, now_ns, &answer);
	if (answer.n)
		tun_write(l->tun, answer.bytes, answer.n);
	return pass == CONNIP_PASS &&
	       (!l->events.departs || l->events.departs(l->events.arg, l, bytes, now_ns));
}

void lane_admit_again(struct lane *l)
{
	connip_packet_out_again(l->session);
}

struct share_part *lane_part(struct lane *l)
{
	return &l->part;
}

static unsigned pieces_of(const struct packet_bytes *bytes, struct iovec pieces[2])
{
	uint8_t *front = (uint8_t *)(uintptr_t)bytes->head - CONTEXT_BYTES;

	memcpy(front, DATAGRAM_PACKET, CONTEXT_BYTES);
	pieces[0] = (struct iovec){front, bytes->head_n + CONTEXT_BYTES};
	pieces[1] = (struct iovec){(uint8_t *)(uintptr_t)bytes->rest, bytes->rest_n};
	return bytes->rest_n ? 2 : 1;
}

int lane_send(
	struct lane *l, const struct packet_bytes *bytes, struct quic_batch *out, uint64_t now_ns)
{
	struct iovec pieces[2];
	unsigned n = pieces_of(bytes, pieces);

	return quic_datagram_send(
		l->stream, pieces, n, packet_dscp(bytes->head, bytes->head_n), out, now_ns);
}

int lane_queue(struct lane *l, const struct packet_bytes *bytes)
{
	struct iovec pieces[2];
	unsigned n = pieces_of(bytes, pieces);

	return quic_datagram_queue(l->stream, pieces, n, packet_dscp(bytes->head, bytes->head_n));
}
