/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/answer.h"
#include "answer/redact.h"
#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "route/text.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

const char answer_continue[] = "HTTP/1.1 100 Continue\r\n\r\n";

/* What is said, all sources taken together. */
struct said {
	unsigned status;
	const char *code, *error;
};

static struct said said_of(const struct answer_failure *f)
{
	const struct answer_row *row = answer_row(f->reason);
	const struct cause *cause = redact_cause(f->verdict);
	struct said said = {row->status, row->code, row->error};

	if (!cause)
		return said;
	said.code = redact_code(f->verdict);
	if (cause->status) {
		said.status = cause->status;
		said.error = cause->error;
	}
	return said;
}

unsigned answer_failure_status(const struct answer_failure *f)
{
	return said_of(f).status;
}

const char *answer_failure_code(const struct answer_failure *f)
{
	return said_of(f).code;
}

static void put_field(struct text *t, const char *name, const char *value)
{
	text_str(t, name);
	text_str(t, ": ");
	text_str(t, value);
	text_str(t, "\r\n");
}

static void put_head(
	struct text *t, const struct answer_page *page, const struct answer_sending *sending)
{
	text_str(t, "HTTP/1.1 ");
	text_u64(t, page->status);
	text_str(t, " ");
	text_str(t, answer_status_phrase(page->status));
	text_str(t, "\r\n");
	put_field(t, "Date", sending->date);
	put_field(t, "Content-Type", page->type);
	text_str(t, "Content-Length: ");
	text_u64(t, page->len);
	text_str(t, "\r\n");
	put_field(t, "Cache-Control", "no-store");
	put_field(t, "X-Content-Type-Options", "nosniff");
	if (sending->close)
		put_field(t, "Connection", "close");
	else if (sending->keep_alive)
		put_field(t, "Connection", "keep-alive");
}

static void put_body(
	struct text *t, const struct answer_page *page, const struct answer_sending *sending)
{
	text_str(t, "\r\n");
	if (!sending->head && page->body)
		text_add(t, page->body, page->len);
}

int answer_page(const struct answer_page *page, const struct answer_sending *sending, char *out,
	size_t size)
{
	struct text t = {.at = out, .size = size};

	put_head(&t, page, sending);
	put_body(&t, page, sending);
	return t.full ? -ENOBUFS : (int)t.len;
}

/* RFC 9209, 2: one member, ours, by the name that it has in Via. */
static void put_proxy_status(struct text *t, const struct answer_failure *f)
{
	const struct said said = said_of(f);
	const char *id = redact_id(f->verdict);
	char words[256];
	struct text details = {.at = words, .size = sizeof(words)};

	text_str(&details, said.code);
	if (f->fault) {
		text_str(&details, "; fault=");
		text_str(&details, f->fault);
	}
	if (id) {
		text_str(&details, "; diag=");
		text_str(&details, id);
	}
	text_str(t, "Proxy-Status: meshgw");
	if (f->node && f->node[0]) {
		text_str(t, "-");
		text_str(t, f->node);
	}
	text_str(t, "; error=");
	text_str(t, said.error);
	text_str(t, "; details=");
	text_quoted(t, words, details.len);
	if (f->upstream && f->reveal >= BRIDGE_REVEAL_EVIDENCE) {
		text_str(t, "; next-hop=");
		text_quoted(t, f->upstream, strlen(f->upstream));
	}
	text_str(t, "\r\n");
}

static void put_reason_fields(struct text *t, const struct answer_failure *f)
{
	if (f->reason == ANSWER_TOKEN_MISSING)
		put_field(t, "WWW-Authenticate", "Bearer realm=\"meshgw\"");
	if (f->reason == ANSWER_TOKEN_WRONG)
		put_field(
			t, "WWW-Authenticate", "Bearer realm=\"meshgw\", error=\"invalid_token\"");
	if (f->reason == ANSWER_WRONG_METHOD)
		put_field(t, "Allow", "GET, HEAD");
	if (f->retry_after_s) {
		text_str(t, "Retry-After: ");
		text_u64(t, f->retry_after_s);
		text_str(t, "\r\n");
	}
}

/* title says what the code means; detail what happened here. */
static int set_words(sd_json_variant **v, const struct answer_failure *f, const struct said *said)
{
	const char *seen = answer_row(f->reason)->title;
	char type[128];
	struct text t = {.at = type, .size = sizeof(type) - 1};

	text_str(&t, "urn:meshgw:code:");
	text_str(&t, said->code);
	type[t.len] = '\0';
	int r = sd_json_variant_set_field_string(v, "type", type);
	if (r >= 0)
		r = sd_json_variant_set_field_string(v, "title", seen);
	if (r >= 0 && redact_cause(f->verdict))
		r = redact_text(f->verdict, "title", v, "title");
	if (r >= 0)
		r = sd_json_variant_set_field_unsigned(v, "status", said->status);
	if (r >= 0)
		r = sd_json_variant_set_field_string(v, "detail", seen);
	if (r >= 0 && redact_cause(f->verdict) && f->reveal >= BRIDGE_REVEAL_EVIDENCE)
		r = redact_text(f->verdict, "summary", v, "detail");
	return r;
}

static int set_texts(sd_json_variant **v, const struct answer_failure *f, const struct said *said)
{
	const char *const texts[][2] = {
		{"instance", redact_id(f->verdict)},
		{"code", said->code},
		{"error", said->error},
		{"fault", f->fault},
		{"requestId", f->request_id},
		{"upstream", f->reveal >= BRIDGE_REVEAL_EVIDENCE ? f->upstream : nullptr},
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && r >= 0; i++)
		if (texts[i][1])
			r = sd_json_variant_set_field_string(v, texts[i][0], texts[i][1]);
	return r;
}

/* The only failure is a lack of memory: all texts are ours or checked. */
static char *formatted(int r, sd_json_variant *v)
{
	char *text = nullptr;

	if (r < 0 || sd_json_variant_format(v, 0, &text) < 0)
		out_of_memory();
	return text;
}

static char *problem(const struct answer_failure *f)
{
	const struct said said = said_of(f);
	autojson sd_json_variant *v = nullptr;
	int r = set_words(&v, f, &said);

	if (r >= 0)
		r = set_texts(&v, f, &said);
	if (r >= 0 && redact_cause(f->verdict))
		r = redact_verdict(f->verdict, f->reveal, &v);
	return formatted(r, v);
}

static int write_failure(const struct answer_failure *f, const struct answer_sending *sending,
	char *out, size_t size)
{
	struct text t = {.at = out, .size = size};
	autofree char *body = problem(f);
	const struct answer_page page = {
		.status = said_of(f).status,
		.type = "application/problem+json",
		.body = body,
		.len = strlen(body),
	};

	put_head(&t, &page, sending);
	put_proxy_status(&t, f);
	put_reason_fields(&t, f);
	put_body(&t, &page, sending);
	return t.full ? -ENOBUFS : (int)t.len;
}

size_t answer_failure(const struct answer_failure *f, const struct answer_sending *sending,
	char *out, size_t size)
{
	struct answer_failure less = *f;
	int n = write_failure(&less, sending, out, size);

	assert(size >= ANSWER_MIN);
	while (n < 0 && less.reveal > BRIDGE_REVEAL_CODE) {
		less.reveal--;
		n = write_failure(&less, sending, out, size);
	}
	if (n < 0) { /* hardly ever: texts of a verdict that are longer than any of ours */
		less.verdict = nullptr;
		n = write_failure(&less, sending, out, size);
	}
	assert(n > 0);
	return (size_t)n;
}

static char *diagnosis(sd_json_variant *verdict, enum bridge_reveal reveal)
{
	static const char *const always[] = {"id", "code", "title"};
	autojson sd_json_variant *v = nullptr;
	int r = sd_json_variant_new_object(&v, nullptr, 0);

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]) && r >= 0; i++)
		r = redact_text(verdict, always[i], &v, always[i]);
	if (r >= 0 && reveal >= BRIDGE_REVEAL_EVIDENCE)
		r = redact_text(verdict, "summary", &v, "summary");
	if (r >= 0)
		r = redact_verdict(verdict, reveal, &v);
	return formatted(r, v);
}

size_t answer_diagnosis(sd_json_variant *verdict, enum bridge_reveal reveal,
	const struct answer_sending *sending, char *out, size_t size)
{
	assert(size >= ANSWER_MIN);
	for (unsigned hidden = 0; hidden <= reveal; hidden++) {
		autofree char *body = diagnosis(verdict, (enum bridge_reveal)(reveal - hidden));
		const struct answer_page page = {.status = 200,
			.type = "application/json",
			.body = body,
			.len = strlen(body)};
		int n = answer_page(&page, sending, out, size);
		if (n >= 0)
			return (size_t)n;
	}
	return answer_failure(
		&(struct answer_failure){.reason = ANSWER_INTERNAL}, sending, out, size);
}
