/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/accesslog.h"
#include "route/text.h"
#include <assert.h>
#include <time.h>

/* Keys are ours and need no escaping: they come with the comma, quotes and colon around them. */
#define KEY(name) ",\"" name "\":"

/* Escapes make a byte six times as long: cut before, with dots to show it. */
static void put_value(struct text *t, const char *at, size_t len)
{
	char shown[ACCESSLOG_TEXT];

	if (len > sizeof(shown)) {
		memcpy(shown, at, sizeof(shown) - 3);
		memset(shown + sizeof(shown) - 3, '.', 3);
		at = shown;
		len = sizeof(shown);
	}
	text_json(t, at, len);
}

static void put_u64(struct text *t, const char *key, uint64_t n)
{
	text_str(t, key);
	text_u64(t, n);
}

static void put_bytes(struct text *t, const char *key, const char *at, size_t len)
{
	text_str(t, key);
	put_value(t, at, len);
}

static void put_text(struct text *t, const char *key, const char *text)
{
	if (text)
		put_bytes(t, key, text, strlen(text));
}

static void put_phase(struct text *t, const char *key, uint64_t us)
{
	if (us != ACCESSLOG_NEVER)
		put_u64(t, key, us);
}

/* "2026-11-22T00:10:33". Most lines of a busy thread share their second. */
static const char *second_str(uint64_t second)
{
	static thread_local uint64_t shown_s = UINT64_MAX;
	static thread_local char shown[32];
	time_t time = (time_t)second;
	struct tm tm;

	if (second != shown_s) {
		if (!gmtime_r(&time, &tm) ||
			!strftime(shown, sizeof(shown), "%Y-%m-%dT%H:%M:%S", &tm))
			shown[0] = '\0';
		shown_s = second;
	}
	return shown;
}

static void put_time(struct text *t, uint64_t realtime_us)
{
	char micros[] = ".000000Z\"";
	uint64_t rest = realtime_us % 1'000'000;

	for (size_t i = 6; i > 0; i--, rest /= 10)
		micros[i] = (char)('0' + rest % 10);
	TEXT_LITERAL(t, "{\"time\":\"");
	text_str(t, second_str(realtime_us / 1'000'000));
	TEXT_LITERAL(t, micros);
}

static void put_request(struct text *t, const struct accesslog_entry *e)
{
	put_text(t, KEY("request"), e->request_id);
	if (e->peer.family != AF_UNSPEC) {
		TEXT_LITERAL(t, KEY("peer") "\"");
		text_addr(t, &e->peer);
		TEXT_LITERAL(t, "\"");
		put_u64(t, KEY("peerPort"), e->peer_port);
	}
	if (!e->method.len)
		return;
	put_bytes(t, KEY("method"), e->method.at, e->method.len);
	put_bytes(t, KEY("host"), e->host.at, e->host.len);
	put_bytes(t, KEY("path"), e->path.at, e->path.len);
	put_text(t, KEY("protocol"), e->minor ? "HTTP/1.1" : "HTTP/1.0");
}

size_t accesslog_line(const struct accesslog_entry *e, char *out, size_t size)
{
	struct text t = {.at = out, .size = size};

	assert(size >= ACCESSLOG_LINE);
	put_time(&t, e->realtime_us);
	put_request(&t, e);
	put_text(&t, KEY("route"), e->route);
	put_text(&t, KEY("upstream"), e->upstream);
	put_u64(&t, KEY("status"), e->status);
	put_text(&t, KEY("code"), e->code);
	put_text(&t, KEY("fault"), e->fault);
	put_text(&t, KEY("diagnosis"), e->diagnosis);
	put_u64(&t, KEY("bytesIn"), e->bytes_in);
	put_u64(&t, KEY("bytesOut"), e->bytes_out);
	if (e->reused)
		TEXT_LITERAL(&t, ",\"reused\":true");
	if (e->aborted)
		TEXT_LITERAL(&t, ",\"aborted\":true");
	if (e->retries)
		put_u64(&t, KEY("retries"), e->retries);
	put_phase(&t, KEY("headUs"), e->head_us);
	put_phase(&t, KEY("connectUs"), e->connect_us);
	put_phase(&t, KEY("firstByteUs"), e->first_byte_us);
	put_phase(&t, KEY("totalUs"), e->total_us);
	TEXT_LITERAL(&t, "}");
	assert(!t.full);
	return t.len;
}
