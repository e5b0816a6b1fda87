/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/accesslog.h"
#include "route/text.h"
#include <assert.h>
#include <stdio.h>
#include <time.h>

#define LITERAL(t, s) text_add((t), (s), sizeof(s) - 1)

/* The name is ours and needs no escaping. */
static void put_name(struct text *t, const char *name)
{
	LITERAL(t, ",\"");
	text_str(t, name);
	LITERAL(t, "\":");
}

static void put_u64(struct text *t, const char *name, uint64_t n)
{
	put_name(t, name);
	text_u64(t, n);
}

/* Escapes make a byte six times as long: cut before, with dots to show it. */
static void put_bytes(struct text *t, const char *name, const char *at, size_t len)
{
	char shown[ACCESSLOG_TEXT];

	put_name(t, name);
	if (len > sizeof(shown)) {
		memcpy(shown, at, sizeof(shown) - 3);
		memset(shown + sizeof(shown) - 3, '.', 3);
		at = shown;
		len = sizeof(shown);
	}
	text_json(t, at, len);
}

static void put_text(struct text *t, const char *name, const char *text)
{
	if (text)
		put_bytes(t, name, text, strlen(text));
}

static void put_phase(struct text *t, const char *name, uint64_t us)
{
	if (us != ACCESSLOG_NEVER)
		put_u64(t, name, us);
}

/* "2026-11-22T00:10:33.123456Z". Most lines of a busy thread share their second. */
static void put_time(struct text *t, uint64_t realtime_us)
{
	static thread_local uint64_t shown_s = UINT64_MAX;
	static thread_local char shown[32];
	uint64_t s = realtime_us / 1'000'000;
	char micros[16];

	if (s != shown_s) {
		struct tm tm;
		time_t time = (time_t)s;
		if (!gmtime_r(&time, &tm) ||
			!strftime(shown, sizeof(shown), "%Y-%m-%dT%H:%M:%S", &tm))
			shown[0] = '\0';
		shown_s = s;
	}
	snprintf(micros, sizeof(micros), ".%06uZ\"", (unsigned)(realtime_us % 1'000'000));
	LITERAL(t, "{\"time\":\"");
	text_str(t, shown);
	text_str(t, micros);
}

static void put_request(struct text *t, const struct accesslog_entry *e)
{
	char address[ADDR_STRLEN];

	put_text(t, "request", e->request_id);
	if (e->peer.family != AF_UNSPEC) {
		put_text(t, "peer", addr_str(&e->peer, address));
		put_u64(t, "peerPort", e->peer_port);
	}
	if (!e->method.len)
		return;
	put_bytes(t, "method", e->method.at, e->method.len);
	put_bytes(t, "host", e->host.at, e->host.len);
	put_bytes(t, "path", e->path.at, e->path.len);
	put_text(t, "protocol", e->minor ? "HTTP/1.1" : "HTTP/1.0");
}

size_t accesslog_line(const struct accesslog_entry *e, char *out, size_t size)
{
	struct text t = {.at = out, .size = size};

	assert(size >= ACCESSLOG_LINE);
	put_time(&t, e->realtime_us);
	put_request(&t, e);
	put_text(&t, "route", e->route);
	put_text(&t, "upstream", e->upstream);
	put_u64(&t, "status", e->status);
	put_text(&t, "code", e->code);
	put_text(&t, "fault", e->fault);
	put_text(&t, "diagnosis", e->diagnosis);
	put_u64(&t, "bytesIn", e->bytes_in);
	put_u64(&t, "bytesOut", e->bytes_out);
	if (e->reused)
		LITERAL(&t, ",\"reused\":true");
	if (e->aborted)
		LITERAL(&t, ",\"aborted\":true");
	if (e->retries)
		put_u64(&t, "retries", e->retries);
	put_phase(&t, "headUs", e->head_us);
	put_phase(&t, "connectUs", e->connect_us);
	put_phase(&t, "firstByteUs", e->first_byte_us);
	put_phase(&t, "totalUs", e->total_us);
	LITERAL(&t, "}");
	assert(!t.full);
	return t.len;
}
