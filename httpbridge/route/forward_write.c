/* SPDX-License-Identifier: Apache-2.0 */
#include "route/forward_write.h"
#include <errno.h>

/* Fields of one connection (RFC 9110, 7.6.1), and of framing. */
static const bool ends_here[HTTP_NAME_MAX] = {
	[HTTP_NAME_CONNECTION] = true,
	[HTTP_NAME_CONTENT_LENGTH] = true,
	[HTTP_NAME_HTTP2_SETTINGS] = true,
	[HTTP_NAME_KEEP_ALIVE] = true,
	[HTTP_NAME_PROXY_AUTHENTICATE] = true,
	[HTTP_NAME_PROXY_AUTHORIZATION] = true,
	[HTTP_NAME_PROXY_CONNECTION] = true,
	[HTTP_NAME_TE] = true,
	[HTTP_NAME_TRAILER] = true,
	[HTTP_NAME_TRANSFER_ENCODING] = true,
	[HTTP_NAME_UPGRADE] = true,
};

static bool is_listed(const struct bridge_header *list, size_t n, const char *name, size_t name_len)
{
	for (size_t i = 0; i < n; i++)
		if (http_name_alike(list[i].name, list[i].name_len, name, name_len))
			return true;
	return false;
}

bool forward_edits(const struct bridge_edit *edit, const char *name, size_t len)
{
	return is_listed(edit->set, edit->n_set, name, len) ||
	       is_listed(edit->remove, edit->n_remove, name, len);
}

bool forward_is_edited(const struct forward_writer *w, const char *name, size_t len)
{
	return forward_edits(w->edit, name, len);
}

/* At once: there are a dozen in each head. */
void forward_put(struct forward_writer *w, const char *name, size_t name_len, const char *value,
	size_t value_len)
{
	struct text *t = &w->text;

	if (t->full || t->size - t->len < name_len + value_len + 4) {
		t->full = true;
		return;
	}
	char *at = mempcpy(t->at + t->len, name, name_len);
	at = mempcpy(at, ": ", 2);
	at = mempcpy(at, value, value_len);
	at[0] = '\r';
	at[1] = '\n';
	t->len += name_len + value_len + 4;
}

void forward_put_own(
	struct forward_writer *w, const char *name, const char *value, size_t value_len)
{
	size_t len = strlen(name);

	if (!forward_is_edited(w, name, len))
		forward_put(w, name, len, value, value_len);
}

bool forward_passes(const struct forward_writer *w, size_t i)
{
	const struct http_field *f = &w->head->fields[i];

	return !ends_here[w->head->names[i]] && !forward_is_edited(w, f->name, f->name_len) &&
	       !(w->head->nominates && http_head_nominates(w->head, f));
}

/* Via is ours to add, behind what came (RFC 9110, 7.6.3). */
void forward_put_via(struct forward_writer *w)
{
	FORWARD_LITERAL(w, "Via: 1.");
	text_u64(&w->text, w->head->minor);
	FORWARD_LITERAL(w, " meshgw");
	if (w->config->node[0]) {
		FORWARD_LITERAL(w, "-");
		text_str(&w->text, w->config->node);
	}
	FORWARD_LITERAL(w, "\r\n");
}

void forward_put_framing(struct forward_writer *w, enum forward_framing framing, uint64_t length)
{
	if (framing == FORWARD_LENGTH) {
		FORWARD_LITERAL(w, "Content-Length: ");
		text_u64(&w->text, length);
		FORWARD_LITERAL(w, "\r\n");
	}
	if (framing != FORWARD_CHUNKED)
		return;
	FORWARD_LITERAL(w, "Transfer-Encoding: chunked\r\n");
	for (size_t i = 0; i < w->head->n; i++) {
		const struct http_field *f = &w->head->fields[i];
		if (w->head->names[i] == HTTP_NAME_TRAILER)
			forward_put(w, "Trailer", 7, f->value, f->value_len);
	}
}

void forward_put_connection(struct forward_writer *w, enum forward_connection connection, bool te)
{
	static const char *const values[][2] = {
		[FORWARD_PERSISTENT] = {"", "TE"},
		[FORWARD_KEEP_ALIVE] = {"keep-alive", "keep-alive, TE"},
		[FORWARD_CLOSE] = {"close", "close, TE"},
		[FORWARD_UPGRADE] = {"upgrade", "upgrade, TE"},
	};
	const char *value = values[connection][te];

	if (connection == FORWARD_UPGRADE)
		FORWARD_LITERAL(w, "Upgrade: websocket\r\n");
	if (te)
		FORWARD_LITERAL(w, "TE: trailers\r\n");
	if (value[0])
		forward_put(w, "Connection", 10, value, strlen(value));
}

void forward_put_set(struct forward_writer *w)
{
	for (size_t i = 0; i < w->edit->n_set; i++) {
		const struct bridge_header *h = &w->edit->set[i];
		forward_put(w, h->name, h->name_len, h->value, h->value_len);
	}
}

int forward_finish(struct forward_writer *w)
{
	FORWARD_LITERAL(w, "\r\n");
	return w->text.full ? -ENOBUFS : (int)w->text.len;
}
