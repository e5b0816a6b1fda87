/* SPDX-License-Identifier: Apache-2.0 */
#include "dispatch.h"
#include "lane.h"

/* Connections and requests: to the role. */

static void on_established(void *user, struct quic_connection *c, const struct quic_peer *peer)
{
	const struct dispatch *d = user;

	d->role->established(d->role_data, c, peer);
}

static void on_closed(void *user, struct quic_connection *c, const struct quic_closed *why)
{
	const struct dispatch *d = user;

	d->role->closed(d->role_data, c, why);
}

static void on_moved(void *user, struct quic_connection *c, const struct quic_path *path)
{
	const struct dispatch *d = user;

	d->role->moved(d->role_data, c, path);
}

static void on_silent(void *user, struct quic_connection *c, bool silent)
{
	const struct dispatch *d = user;

	if (d->role->silent)
		d->role->silent(d->role_data, c, silent);
}

static void on_stranded(void *user, struct quic_connection *c)
{
	const struct dispatch *d = user;

	if (d->role->stranded)
		d->role->stranded(d->role_data, c);
}

static void on_traced(void *user, struct quic_connection *c)
{
	const struct dispatch *d = user;

	if (d->role->traced)
		d->role->traced(d->role_data, c);
}

static void on_request(void *user, struct quic_stream *s, const struct quic_request *request)
{
	const struct dispatch *d = user;

	if (d->role->request)
		d->role->request(d->role_data, s, request);
}

static void on_response(void *user, struct quic_stream *s, const struct quic_response *response)
{
	const struct dispatch *d = user;

	if (d->role->response)
		d->role->response(d->role_data, s, response);
}

/* Streams, and the packets beside them. */

static bool is_early(void *user, struct quic_stream *s, const uint8_t *bytes, size_t n, bool fin)
{
	const struct dispatch *d = user;

	return d->role->early && d->role->early(d->role_data, s, bytes, n, fin);
}

static void on_bytes(void *user, struct quic_stream *s, const uint8_t *bytes, size_t n)
{
	struct lane *l = quic_stream_data(s);

	if (l)
		lane_bytes(l, bytes, n, false, pump_now_ns());
	else
		(void)is_early(user, s, bytes, n, false);
}

static void on_finished(void *user, struct quic_stream *s)
{
	struct lane *l = quic_stream_data(s);

	if (l)
		lane_bytes(l, nullptr, 0, true, pump_now_ns());
	else if (!is_early(user, s, nullptr, 0, true))
		quic_stream_finish(s);
}

static void on_writable(void *, struct quic_stream *s)
{
	struct lane *l = quic_stream_data(s);

	if (l)
		lane_flush(l);
}

static void on_ended(void *user, struct quic_stream *s, enum quic_end end, uint64_t code)
{
	const struct dispatch *d = user;
	const struct lane *l = quic_stream_data(s);

	if (l)
		cargo_forget(d->cargo, l);
	d->role->ended(d->role_data, s, end, code);
	cargo_room(d->cargo);
}

static void on_datagram(void *user, struct quic_stream *s, const uint8_t *bytes, size_t n)
{
	const struct dispatch *d = user;
	struct lane *l = quic_stream_data(s);

	cargo_arrived(d->cargo);
	if (l)
		lane_datagram(l, bytes, n, pump_turn_ns(d->pump));
}

static void on_datagram_max(void *, struct quic_stream *s, size_t max)
{
	struct lane *l = quic_stream_data(s);

	if (l)
		lane_max(l, max);
}

static void on_room(void *user, struct quic_connection *)
{
	const struct dispatch *d = user;

	cargo_room(d->cargo);
}

const struct quic_events dispatch_events = {
	.established = on_established,
	.closed = on_closed,
	.moved = on_moved,
	.silent = on_silent,
	.stranded = on_stranded,
	.traced = on_traced,
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
