/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange_check.h"
#include "http/body.h"
#include "http/target.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "route/match.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void transcript_add(struct transcript *t, const void *bytes, size_t n)
{
	if (t->cap - t->len < n) {
		t->cap = 2 * t->cap + n;
		t->at = xreallocarray(t->at, t->cap, 1);
	}
	if (n)
		memcpy(t->at + t->len, bytes, n);
	t->len += n;
}

void transcript_clear(struct transcript *t)
{
	free(t->at);
	*t = (struct transcript){};
}

/* Requests by number. */

void check_trace(uint8_t *random, size_t size)
{
	assert(size >= CHECK_REQUESTS * FORWARD_TRACE_RANDOM);
	memset(random, 0, size);
	for (size_t i = 0; i < CHECK_REQUESTS; i++)
		random[i * FORWARD_TRACE_RANDOM] = (uint8_t)i;
}

/* A message, from the head on. */
struct message {
	struct http_request q;
	struct http_target t;
	char *path; /* the normal form's memory */
	struct forward_trace trace;
	struct transcript data; /* of its body */
	bool whole;             /* its body has ended */
	bool served;            /* its target is one that a bridge serves */
	size_t end;             /* in the transcript */
	unsigned forwarded;
};

struct messages {
	struct message *list;
	size_t n, cap;
};

static void messages_clear(struct messages *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->list[i].path);
		transcript_clear(&m->list[i].data);
	}
	free(m->list);
}

/* The body at text: how many bytes of it there are, -EBADMSG. Its data goes to *data. */
static ssize_t read_body(const struct http_head *head, const char *text, size_t len,
	struct transcript *data, bool *whole)
{
	struct http_body_state body;
	enum http_fault why;
	size_t used = 0;

	http_body_begin(&body, head);
	while (used < len && !body.ended) {
		bool is_data;
		ssize_t n = http_body_next(&body, text + used, len - used, &is_data, &why);
		if (n < 0)
			return n;
		if (is_data && data)
			transcript_add(data, text + used, (size_t)n);
		used += (size_t)n;
	}
	*whole = body.ended;
	return (ssize_t)used;
}

/* The request that begins at `at`: 1, 0 if it is not all there, -EBADMSG. number: of its trace, if
 * it has none of its own. */
static int read_message(const struct transcript *t, size_t at, size_t number, struct message *out)
{
	const uint8_t random[FORWARD_TRACE_RANDOM] = {(uint8_t)number};
	enum http_fault why;

	*out = (struct message){};
	ssize_t n = http_request_read(t->at + at, t->len - at, 0, &out->q, &why);
	if (n <= 0)
		return n == -EAGAIN ? 0 : -EBADMSG;
	out->path = xcalloc(out->q.target_len + 1, 1);
	out->served = http_target_read(&out->q, out->path, &out->t, &why) == 0;
	forward_trace_read(&out->q.head, random, &out->trace);
	size_t body = at + (size_t)n;
	ssize_t used = read_body(
		&out->q.head, t->at + body, t->len - body, &out->data, &out->whole);
	out->end = body + (used < 0 ? 0 : (size_t)used);
	return used < 0 ? -EBADMSG : 1;
}

/* All requests of a client, up to the first that is refused. */
static void read_requests(const struct check_client *c, struct messages *out)
{
	const struct transcript *t = &c->sent;
	size_t at = 0, before = out->n;

	while (at < t->len) {
		XGROW(out->list, out->n, out->cap);
		struct message *m = &out->list[out->n];
		int r = read_message(t, at, c->before + out->n - before, m);
		out->n += r == 1 || m->path; /* with a bad body, too */
		if (r < 1)
			return;
		at = m->end;
		if (!m->whole)
			return;
	}
}

/* What came to the service. */

static struct message *find_by_trace(const struct messages *all, const char *id)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->list[i].trace.id, id) == 0)
			return &all->list[i];
	return nullptr;
}

static bool same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && memcmp(a, b, a_len) == 0;
}

/* Nothing that a service may take for ours, but ours. */
static void check_names(const struct http_head *head, const struct bridge_route *route)
{
	for (size_t i = 0; i < head->n; i++) {
		const struct http_field *f = &head->fields[i];
		if (http_text_equal(f->name, f->name_len, "X-Forwarded-Prefix", 18))
			assert(route->strip_prefix &&
				same(f->value, f->value_len, route->path, route->path_len));
		else
			assert(head->names[i] != HTTP_NAME_OTHER ||
				!http_name_is_taken(f->name, f->name_len));
	}
}

/* The forwarded one says the same as the one that was asked for. */
static void check_forwarded(
	const struct bridge_config *c, const struct message *asked, const struct message *f)
{
	const struct bridge_route *route = bridge_route_match(
		c, asked->q.host, asked->q.host_len, asked->t.path, asked->t.path_len);
	assert(asked->served && f->served && route);
	size_t off = route->strip_prefix ? route->path_len : 0;
	const char *path = off == asked->t.path_len ? "/" : asked->t.path + off;
	size_t path_len = off == asked->t.path_len ? 1 : asked->t.path_len - off;

	assert(f->q.head.minor == 1);
	assert(same(f->q.method_text, f->q.method_len, asked->q.method_text, asked->q.method_len));
	assert(same(f->t.path, f->t.path_len, path, path_len));
	assert(same(f->t.query, f->t.query_len, asked->t.query, asked->t.query_len));
	assert(same(f->q.host, f->q.host_len, asked->q.host, asked->q.host_len));
	assert(f->q.head.body == asked->q.head.body && f->q.head.length == asked->q.head.length);
	assert(f->q.head.upgrade == asked->q.head.upgrade);
	check_names(&f->q.head, route);
	assert(f->data.len <= asked->data.len);
	assert(memcmp(f->data.at ? f->data.at : "", asked->data.at ? asked->data.at : "",
		       f->data.len) == 0);
	assert(!f->whole || (asked->whole && f->data.len == asked->data.len));
}

/* A preface of the PROXY protocol, version 2, is passed over. */
static size_t behind_preface(const struct transcript *t)
{
	static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
	constexpr size_t fixed = 16;

	if (t->len < fixed || memcmp(t->at, signature, sizeof(signature) - 1) != 0)
		return 0;
	const uint8_t *len = (const uint8_t *)t->at + fixed - 2;
	return fixed + (size_t)(len[0] << 8 | len[1]);
}

static void check_service(
	const struct check_parties *p, const struct check_service *s, struct messages *all)
{
	size_t at = behind_preface(&s->got);
	int r = 1;

	while (r == 1 && at < s->got.len) {
		struct message f;
		r = read_message(&s->got, at, 0, &f);
		assert(r >= 0);
		if (r == 1) {
			struct message *asked = find_by_trace(all, f.trace.id);
			assert(asked);
			bool again = asked->q.idempotent && asked->q.head.body == HTTP_BODY_NONE;
			assert(asked->forwarded == 0 || again);
			asked->forwarded++;
			check_forwarded(p->config, asked, &f);
			at = f.end;
			if (f.q.head.upgrade || !f.whole)
				r = 0; /* a tunnel, or the end */
		}
		free(f.path);
		transcript_clear(&f.data);
	}
}

bool check_find(const struct check_service *s, size_t number, struct check_asked *out)
{
	size_t at = behind_preface(&s->got);

	for (size_t i = 0; at < s->got.len; i++) {
		struct message f;
		int r = read_message(&s->got, at, 0, &f);
		at = f.end;
		memcpy(out->id, f.trace.id, sizeof(out->id));
		out->head = f.q.method == HTTP_METHOD_HEAD;
		bool more = f.whole;
		free(f.path);
		transcript_clear(&f.data);
		if (r < 1 || i == number || !more)
			return r == 1 && i == number;
	}
	return false;
}

/* What the client heard. */

static bool is_refusal(const struct http_answer *a)
{
	for (size_t i = 0; i < a->head.n; i++)
		if (a->head.names[i] == HTTP_NAME_PROXY_STATUS && !a->head.persistent)
			return true;
	return false;
}

static void check_addressee(const struct http_answer *a, const struct message *asked)
{
	for (size_t i = 0; i < a->head.n; i++) {
		const struct http_field *f = &a->head.fields[i];
		if (http_text_equal(f->name, f->name_len, "X-Id", 4))
			assert(asked && same(f->value, f->value_len, asked->trace.id,
						strlen(asked->trace.id)));
	}
}

/* The requests from first up to last are those of the client who heard t. */
static void check_heard(
	const struct transcript *t, const struct messages *all, size_t first, size_t last)
{
	size_t i = first, at = 0;

	while (at < t->len) {
		const struct message *asked = i < last ? &all->list[i] : nullptr;
		enum http_method method = asked ? asked->q.method : HTTP_METHOD_OTHER;
		bool whole = false;
		struct http_answer a;
		enum http_fault why;

		ssize_t n = http_answer_read(t->at + at, t->len - at, 0, method,
			asked && asked->q.head.upgrade, &a, &why);
		if (n == -EAGAIN)
			return;
		assert(n > 0);
		check_addressee(&a, asked);
		/* A refusal may be to what was not read as far as it is here. */
		if (a.status == 101 || (is_refusal(&a) && method == HTTP_METHOD_HEAD))
			return;
		at += (size_t)n;
		if (a.status < 200)
			continue;
		assert(i <= last);
		assert(a.head.body != HTTP_BODY_CLOSE || (asked && asked->q.head.minor == 0));
		n = read_body(&a.head, t->at + at, t->len - at, nullptr, &whole);
		assert(n >= 0);
		at += (size_t)n;
		if (!whole || !a.head.persistent)
			break;
		i++;
	}
	assert(at == t->len);
}

/* A client may give two requests the same trace. */
static bool are_told_apart(const struct messages *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (find_by_trace(all, all->list[i].trace.id) != &all->list[i])
			return false;
	return all->n < CHECK_REQUESTS;
}

void check_exchange(const struct check_parties *p)
{
	struct messages all = {};
	size_t *begins = xcalloc(p->n_clients + 1, sizeof(*begins));

	for (size_t i = 0; i < p->n_clients; i++) {
		read_requests(&p->clients[i], &all);
		begins[i + 1] = all.n;
	}
	if (are_told_apart(&all)) {
		for (size_t i = 0; i < p->n_services; i++)
			check_service(p, &p->services[i], &all);
		for (size_t i = 0; i < p->n_clients; i++)
			check_heard(&p->clients[i].heard, &all, begins[i], begins[i + 1]);
	}
	free(begins);
	messages_clear(&all);
}
