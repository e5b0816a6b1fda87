/* SPDX-License-Identifier: Apache-2.0 */
#include "http/head.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

/* libh2o 2.2.5 exports these (deps/picohttpparser) and ships no header for them. They return the
 * head's length, -1 for a refusal, -2 for more. */
int phr_parse_request(const char *buf, size_t len, const char **method, size_t *method_len,
	const char **path, size_t *path_len, int *minor_version, struct http_field *headers,
	size_t *num_headers, size_t last_len);
int phr_parse_response(const char *buf, size_t len, int *minor_version, int *status,
	const char **msg, size_t *msg_len, struct http_field *headers, size_t *num_headers,
	size_t last_len);

static const struct {
	const char *text;
	size_t len;
	enum http_method method;
	bool idempotent, refused;
} methods[] = {
#define METHOD(name, ...) {#name, sizeof(#name) - 1, __VA_ARGS__}
	METHOD(GET, HTTP_METHOD_GET, true, false),
	METHOD(POST, HTTP_METHOD_POST, false, false),
	METHOD(HEAD, HTTP_METHOD_HEAD, true, false),
	METHOD(PUT, HTTP_METHOD_PUT, true, false),
	METHOD(DELETE, HTTP_METHOD_DELETE, true, false),
	METHOD(OPTIONS, HTTP_METHOD_OPTIONS, true, false),
	METHOD(PATCH, HTTP_METHOD_PATCH, false, false),
	/* A gateway is no proxy, and shows nobody what it adds to a request. */
	METHOD(CONNECT, HTTP_METHOD_OTHER, false, true),
	METHOD(TRACE, HTTP_METHOD_OTHER, true, true),
#undef METHOD
};

/* What the fields say, before it is known what that means together. */
struct reading {
	struct http_head *head;
	const struct http_field *host, *hops;
	unsigned n_hops;
	size_t connection; /* bytes of it */
	bool has_length, has_coding;
	bool close, keep_alive, connection_upgrade;
	unsigned upgrades;
	bool websocket;
	bool expects, continues;
};

/* Lists (RFC 9110 5.6.1). */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes the next element off a list of tokens: its length with *element, 0 at the end, -EBADMSG if
 * it is no token. Empty elements are skipped. */
static ssize_t list_next(const char **at, const char *end, const char **element)
{
	const char *p = *at;
	while (p < end && (is_blank(*p) || *p == ','))
		p++;
	const char *begin = p;
	while (p < end && http_is_token_char((unsigned char)*p))
		p++;
	size_t len = (size_t)(p - begin);
	while (p < end && is_blank(*p))
		p++;
	if (p < end && (*p != ',' || len == 0))
		return -EBADMSG;
	*at = p;
	*element = begin;
	return (ssize_t)len;
}

#define IS(text, len, word) http_text_equal((text), (len), (word), sizeof(word) - 1)

/* Fields that decide something. */

typedef enum http_fault field_reader(struct reading *r, const struct http_field *f);

/* A field that frames or routes the message cannot end here: the one who sends it and the one who
 * reads it would not see the same message. */
static bool may_be_nominated(enum http_name name)
{
	return name != HTTP_NAME_CONTENT_LENGTH && name != HTTP_NAME_TRANSFER_ENCODING &&
	       name != HTTP_NAME_HOST;
}

static enum http_fault read_connection(struct reading *r, const struct http_field *f)
{
	const char *at = f->value, *end = at + f->value_len, *token;
	ssize_t n;

	r->connection += f->value_len;
	if (r->connection > HTTP_CONNECTION_MAX)
		return HTTP_FAULT_FIELDS;
	while ((n = list_next(&at, end, &token)) > 0) {
		size_t len = (size_t)n;
		if (IS(token, len, "close"))
			r->close = true;
		else if (IS(token, len, "keep-alive"))
			r->keep_alive = true;
		else if (IS(token, len, "upgrade"))
			r->connection_upgrade = true;
		else if (may_be_nominated(http_name_find(token, len)))
			r->head->nominates = true;
		else
			return HTTP_FAULT_SYNTAX;
	}
	return n < 0 ? HTTP_FAULT_SYNTAX : HTTP_FAULT_NONE;
}

static enum http_fault read_length(struct reading *r, const struct http_field *f)
{
	int64_t value = 0;

	if (r->has_length || f->value_len == 0 || f->value_len > 18)
		return HTTP_FAULT_LENGTH;
	for (size_t i = 0; i < f->value_len; i++) {
		if (f->value[i] < '0' || f->value[i] > '9')
			return HTTP_FAULT_LENGTH;
		value = 10 * value + (f->value[i] - '0');
	}
	r->has_length = true;
	r->head->length = value;
	return HTTP_FAULT_NONE;
}

static enum http_fault read_coding(struct reading *r, const struct http_field *f)
{
	if (r->has_coding || r->head->minor == 0 || !IS(f->value, f->value_len, "chunked"))
		return HTTP_FAULT_CODING;
	r->has_coding = true;
	return HTTP_FAULT_NONE;
}

static enum http_fault read_host(struct reading *r, const struct http_field *f)
{
	if (r->host)
		return HTTP_FAULT_HOST_TWICE;
	r->host = f;
	return HTTP_FAULT_NONE;
}

static enum http_fault read_upgrade(struct reading *r, const struct http_field *f)
{
	r->upgrades++;
	r->websocket = IS(f->value, f->value_len, "websocket");
	return HTTP_FAULT_NONE;
}

static enum http_fault read_expect(struct reading *r, const struct http_field *f)
{
	r->continues = !r->expects && IS(f->value, f->value_len, "100-continue");
	r->expects = true;
	return HTTP_FAULT_NONE;
}

static enum http_fault read_hops(struct reading *r, const struct http_field *f)
{
	r->hops = f;
	r->n_hops++;
	return HTTP_FAULT_NONE;
}

static field_reader *const readers[HTTP_NAME_MAX] = {
	[HTTP_NAME_CONNECTION] = read_connection,
	[HTTP_NAME_CONTENT_LENGTH] = read_length,
	[HTTP_NAME_EXPECT] = read_expect,
	[HTTP_NAME_HOST] = read_host,
	[HTTP_NAME_MAX_FORWARDS] = read_hops,
	[HTTP_NAME_TRANSFER_ENCODING] = read_coding,
	[HTTP_NAME_UPGRADE] = read_upgrade,
};

/* The parser lets a line end in LF alone and a field go over several lines; and it leaves blanks
 * behind a value. */
static enum http_fault read_field(struct reading *r, size_t i)
{
	struct http_field *f = &r->head->fields[i];

	if (!f->name)
		return HTTP_FAULT_FOLDED;
	if (f->value[f->value_len] != '\r')
		return HTTP_FAULT_BARE_LF;
	while (f->value_len && is_blank(f->value[f->value_len - 1]))
		f->value_len--;
	r->head->names[i] = http_name_find(f->name, f->name_len);
	field_reader *reader = readers[r->head->names[i]];
	return reader ? reader(r, f) : HTTP_FAULT_NONE;
}

static enum http_fault read_fields(struct reading *r, int minor)
{
	if (minor > 1)
		return HTTP_FAULT_VERSION;
	r->head->minor = (uint8_t)minor;
	r->head->nominates = false;
	r->head->length = -1;
	for (size_t i = 0; i < r->head->n; i++) {
		enum http_fault fault = read_field(r, i);
		if (fault != HTTP_FAULT_NONE)
			return fault;
	}
	if (r->has_length && r->has_coding)
		return HTTP_FAULT_LENGTH_AND_CODING;
	r->head->persistent = !r->close && (minor == 1 || r->keep_alive);
	r->head->upgrade = minor == 1 && r->connection_upgrade && r->upgrades == 1 && r->websocket;
	return HTTP_FAULT_NONE;
}

/* Requests. */

static enum http_fault read_method(struct http_request *q)
{
	if (!http_is_token(q->method_text, q->method_len))
		return HTTP_FAULT_SYNTAX;
	q->method = HTTP_METHOD_OTHER;
	q->idempotent = false;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (q->method_len != methods[i].len ||
			memcmp(q->method_text, methods[i].text, q->method_len) != 0)
			continue;
		q->method = methods[i].method;
		q->idempotent = methods[i].idempotent;
		return methods[i].refused ? HTTP_FAULT_METHOD : HTTP_FAULT_NONE;
	}
	return HTTP_FAULT_NONE;
}

static enum http_fault read_expectation(const struct reading *r, struct http_request *q)
{
	q->expects_continue = false;
	if (!r->expects || q->head.minor == 0) /* RFC 9110 10.1.1: 1.0 does not know it */
		return HTTP_FAULT_NONE;
	q->expects_continue = r->continues && q->head.body != HTTP_BODY_NONE;
	return r->continues ? HTTP_FAULT_NONE : HTTP_FAULT_EXPECT;
}

/* More than anybody sends it on is as good as more than fits. TRACE is not served, and of other
 * methods the field means nothing. */
static enum http_fault read_max_forwards(const struct reading *r, struct http_request *q)
{
	constexpr uint32_t most = 1'000'000;

	q->limited = q->method == HTTP_METHOD_OPTIONS && r->n_hops > 0;
	q->hops = 0;
	if (!q->limited)
		return HTTP_FAULT_NONE;
	if (r->n_hops > 1 || r->hops->value_len == 0)
		return HTTP_FAULT_MAX_FORWARDS;
	for (size_t i = 0; i < r->hops->value_len; i++) {
		char c = r->hops->value[i];
		if (c < '0' || c > '9')
			return HTTP_FAULT_MAX_FORWARDS;
		q->hops = 10 * q->hops + (uint32_t)(c - '0');
		q->hops = q->hops < most ? q->hops : most;
	}
	return HTTP_FAULT_NONE;
}

static enum http_fault judge_request(const struct reading *r, struct http_request *q)
{
	if (!r->host)
		return HTTP_FAULT_HOST_MISSING;
	q->host = r->host->value;
	q->host_len = r->host->value_len;
	q->head.body = r->has_coding   ? HTTP_BODY_CHUNKED
		       : r->has_length ? HTTP_BODY_LENGTH
				       : HTTP_BODY_NONE;
	if (q->head.upgrade &&
		(q->method != HTTP_METHOD_GET || r->has_coding || q->head.length > 0))
		return HTTP_FAULT_UPGRADE;
	enum http_fault fault = read_max_forwards(r, q);
	return fault == HTTP_FAULT_NONE ? read_expectation(r, q) : fault;
}

/* The request line and the empty line that ends the head. */
static enum http_fault check_lines(const struct http_request *q, const char *buf, size_t n)
{
	if (q->target_len == 0)
		return HTTP_FAULT_SYNTAX;
	if (buf[0] == '\n' || buf[n - 2] != '\r')
		return HTTP_FAULT_BARE_LF;
	return q->target[q->target_len + sizeof("HTTP/1.1")] == '\r' ? HTTP_FAULT_NONE
								     : HTTP_FAULT_BARE_LF;
}

static enum http_fault read_request(struct http_request *q, int minor, const char *buf, size_t n)
{
	struct reading r = {.head = &q->head};
	enum http_fault fault = check_lines(q, buf, n);

	if (fault == HTTP_FAULT_NONE)
		fault = read_method(q);
	if (fault == HTTP_FAULT_NONE)
		fault = read_fields(&r, minor);
	return fault == HTTP_FAULT_NONE ? judge_request(&r, q) : fault;
}

/* Why the parser refused a request: what can be told from how far it came. */
static enum http_fault explain(const struct http_request *q, const char *end)
{
	static const char word[] = " HTTP/";

	if (q->head.n == HTTP_FIELDS_MAX)
		return HTTP_FAULT_FIELDS;
	if (!q->target || q->target_len == 0)
		return HTTP_FAULT_SYNTAX;
	const char *version = q->target + q->target_len;
	if ((size_t)(end - version) < sizeof("HTTP/1.1") ||
		memcmp(version, word, sizeof(word) - 1) != 0)
		return HTTP_FAULT_SYNTAX;
	version += sizeof(word) - 1;
	return version[0] == '1' && version[1] == '.' ? HTTP_FAULT_SYNTAX : HTTP_FAULT_VERSION;
}

ssize_t http_request_read(const char *buf, size_t len, size_t last_len, struct http_request *out,
	enum http_fault *why)
{
	int minor;

	out->head.n = HTTP_FIELDS_MAX;
	int n = phr_parse_request(buf, len, &out->method_text, &out->method_len, &out->target,
		&out->target_len, &minor, out->head.fields, &out->head.n, last_len);
	if (n == -2)
		return -EAGAIN;
	*why = n < 0 ? explain(out, buf + len) : read_request(out, minor, buf, (size_t)n);
	return *why == HTTP_FAULT_NONE ? n : -EBADMSG;
}

/* Answers. */

/* RFC 9112 6.3, 1 to 3 and 8. */
static bool has_no_body(int status, enum http_method method)
{
	return method == HTTP_METHOD_HEAD || status < 200 || status == 204 || status == 304;
}

static enum http_fault judge_answer(
	const struct reading *r, enum http_method method, bool upgrade, struct http_answer *a)
{
	bool bodiless = a->status < 200 || a->status == 204;

	if (a->status < 100 || a->status > 599)
		return HTTP_FAULT_STATUS;
	if (a->status == 101 && (!upgrade || !a->head.upgrade))
		return HTTP_FAULT_UPGRADE;
	/* RFC 9110 8.6, RFC 9112 6.1; a length of zero says no more than nothing. */
	if (bodiless && (r->has_coding || a->head.length > 0))
		return HTTP_FAULT_BODY;
	a->head.body = has_no_body(a->status, method) ? HTTP_BODY_NONE
		       : r->has_coding                ? HTTP_BODY_CHUNKED
		       : r->has_length                ? HTTP_BODY_LENGTH
						      : HTTP_BODY_CLOSE;
	if (a->head.body == HTTP_BODY_CLOSE)
		a->head.persistent = false;
	return HTTP_FAULT_NONE;
}

ssize_t http_answer_read(const char *buf, size_t len, size_t last_len, enum http_method method,
	bool upgrade, struct http_answer *out, enum http_fault *why)
{
	struct reading r = {.head = &out->head};
	int minor;

	out->head.n = HTTP_FIELDS_MAX;
	int n = phr_parse_response(buf, len, &minor, &out->status, &out->reason, &out->reason_len,
		out->head.fields, &out->head.n, last_len);
	if (n == -2)
		return -EAGAIN;
	if (n < 0)
		*why = out->head.n == HTTP_FIELDS_MAX ? HTTP_FAULT_FIELDS : HTTP_FAULT_SYNTAX;
	else if (out->reason[out->reason_len] != '\r' || buf[n - 2] != '\r')
		*why = HTTP_FAULT_BARE_LF;
	else
		*why = read_fields(&r, minor);
	if (*why == HTTP_FAULT_NONE)
		*why = judge_answer(&r, method, upgrade, out);
	return *why == HTTP_FAULT_NONE ? n : -EBADMSG;
}

/* Both. */

static bool list_has(const struct http_field *list, const struct http_field *f)
{
	const char *at = list->value, *end = at + list->value_len, *token;
	ssize_t n;

	while ((n = list_next(&at, end, &token)) > 0)
		if (http_text_equal(token, (size_t)n, f->name, f->name_len))
			return true;
	return false;
}

bool http_head_nominates(const struct http_head *head, const struct http_field *field)
{
	if (!head->nominates)
		return false;
	for (size_t i = 0; i < head->n; i++)
		if (head->names[i] == HTTP_NAME_CONNECTION && list_has(&head->fields[i], field))
			return true;
	return false;
}

const struct http_field *http_head_find(const struct http_head *head, enum http_name name)
{
	for (size_t i = 0; i < head->n; i++)
		if (head->names[i] == name)
			return &head->fields[i];
	return nullptr;
}
