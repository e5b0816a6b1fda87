/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xmalloc.h"
#include "quic/h3.h"
#include "quic/message.h"
#include "quic/stream_int.h"

struct quic_stream *quic_stream_new(struct quic_connection *c, int64_t id)
{
	struct quic_stream *s = xcalloc(1, sizeof(*s));

	s->connection = c;
	s->id = id;
	s->next = c->streams;
	c->streams = s;
	quic_ring_init(&s->ring, c->endpoint->config.limits.stream_send);
	return s;
}

void quic_stream_free(struct quic_stream *s)
{
	struct quic_stream **at = &s->connection->streams;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	s->connection->endpoint->status.queued -= s->queue.capacity;
	quic_ring_clear(&s->ring);
	quic_queue_clear(&s->queue);
	free(s->message);
	free(s);
}

void quic_stream_tell_end(struct quic_stream *s, enum quic_end end, uint64_t code)
{
	struct quic_endpoint *e = s->connection->endpoint;

	if (!s->told)
		return;
	s->told = false;
	if (e->events.ended)
		e->events.ended(e->user, s, end, code);
	s->data = nullptr; /* the owner has let go of it, and the stream may be there for a while */
}

void quic_stream_end(struct quic_stream *s, enum quic_end end, uint64_t code)
{
	quic_stream_tell_end(s, end, code);
	quic_stream_free(s);
}

struct quic_stream *quic_stream_find(struct quic_connection *c, int64_t id)
{
	for (struct quic_stream *s = c->streams; s; s = s->next)
		if (s->id == id)
			return s;
	return nullptr;
}

void quic_stream_open(struct quic_stream *s)
{
	s->state = QUIC_STREAM_OPEN;
	quic_datagram_tell_max(s->connection);
}

/* After a refusal, and with H3_NO_ERROR after our last word, the other side lets go in order. */
void quic_stream_note_reset(struct quic_stream *s, uint64_t code)
{
	bool in_order = s->finish && code == QUIC_H3_NO_ERROR;

	if (s->aborted || s->reset || s->state == QUIC_STREAM_REFUSED || in_order)
		return;
	s->reset = true;
	s->code = code;
	quic_connection_touch(s->connection);
}

/* It can carry nothing any more. */
static bool over(const struct quic_stream *s)
{
	return s->aborted || s->reset || s->finish || s->state == QUIC_STREAM_REFUSED ||
	       s->connection->state == QUIC_CLOSED || s->connection->close;
}

static void add(nghttp3_nv *nv, const char *name, const char *value)
{
	*nv = (nghttp3_nv){
		.name = (const uint8_t *)name,
		.value = (const uint8_t *)value,
		.namelen = strlen(name),
		.valuelen = strlen(value),
	};
}

int quic_stream_respond(struct quic_stream *s, unsigned int status, const struct quic_field *fields,
	size_t n_fields)
{
	bool open = status >= 200 && status < 300;
	nghttp3_nv nv[2 + QUIC_MESSAGE_FIELDS];
	char text[12];
	size_t n = 0;

	if (over(s))
		return -EPIPE;
	if (!s->connection->server || s->state != QUIC_STREAM_ASKED)
		return -EALREADY;
	if (n_fields > QUIC_MESSAGE_FIELDS)
		return -E2BIG;
	snprintf(text, sizeof(text), "%u", status);
	add(&nv[n++], ":status", text);
	if (open)
		add(&nv[n++], "capsule-protocol", "?1");
	for (size_t i = 0; i < n_fields; i++)
		add(&nv[n++], fields[i].name, fields[i].value);
	if (nghttp3_conn_submit_response(
		    s->connection->h3, s->id, nv, n, open ? &quic_h3_reader : nullptr) != 0)
		return -EPIPE;
	quic_connection_touch(s->connection);
	if (open) {
		quic_stream_open(s);
	} else {
		s->state = QUIC_STREAM_REFUSED;
		s->stop = true;
		s->code = status == 400 ? QUIC_H3_MESSAGE_ERROR : QUIC_H3_NO_ERROR;
	}
	return 0;
}

int quic_stream_send(struct quic_stream *s, const uint8_t *bytes, size_t n)
{
	if (over(s))
		return -EPIPE;
	if (n > s->ring.capacity)
		return -EMSGSIZE;
	if (n > quic_ring_room(&s->ring)) {
		s->wants_room = true;
		return -EAGAIN;
	}
	quic_ring_write(&s->ring, bytes, n);
	if (s->id >= 0)
		nghttp3_conn_resume_stream(s->connection->h3, s->id);
	quic_connection_touch(s->connection);
	return 0;
}

void quic_stream_finish(struct quic_stream *s)
{
	if (over(s))
		return;
	s->finish = true;
	if (s->id >= 0)
		nghttp3_conn_resume_stream(s->connection->h3, s->id);
	quic_connection_touch(s->connection);
}

void quic_stream_abort(struct quic_stream *s, uint64_t code)
{
	if (s->aborted || s->reset || s->connection->state == QUIC_CLOSED)
		return;
	s->aborted = true;
	s->shut = false; /* it may have been refused before, in order */
	s->code = code;
	quic_connection_touch(s->connection);
}

void quic_stream_set_data(struct quic_stream *s, void *data)
{
	s->data = data;
}

void *quic_stream_data(const struct quic_stream *s)
{
	return s->data;
}

struct quic_connection *quic_stream_connection(const struct quic_stream *s)
{
	return s->connection;
}

uint64_t quic_stream_id(const struct quic_stream *s)
{
	return s->id < 0 ? 0 : (uint64_t)s->id;
}
