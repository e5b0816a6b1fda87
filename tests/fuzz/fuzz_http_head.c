/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_http_head: bytes as a request and as an answer, whole and in two pieces. What is accepted
 * must be the same both times, lie inside the bytes, and be accepted again as it is written out
 * from what was read.
 */
#include "http/head.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(const char *at, size_t len, const char *buf, size_t n)
{
	assert(at >= buf && at + len <= buf + n);
	assert(!memchr(at, '\r', len) && !memchr(at, '\n', len) && !memchr(at, '\0', len));
}

static void check_head(const struct http_head *h, const char *buf, size_t n)
{
	assert(h->n <= HTTP_FIELDS_MAX && h->minor <= 1);
	assert(h->body != HTTP_BODY_LENGTH || h->length >= 0);
	for (size_t i = 0; i < h->n; i++) {
		const struct http_field *f = &h->fields[i];
		check_inside(f->name, f->name_len, buf, n);
		check_inside(f->value, f->value_len, buf, n);
		assert(http_is_token(f->name, f->name_len));
		assert(h->names[i] == http_name_find(f->name, f->name_len));
		(void)http_head_nominates(h, f);
	}
}

/* A head that will be refused may be refused sooner or later: the look for its end comes first
 * when it arrives in pieces. */
static void check_same(ssize_t whole, ssize_t pieces)
{
	assert(whole == pieces || (whole < 0 && pieces < 0));
}

static size_t put(char *out, size_t at, const char *text, size_t len)
{
	memcpy(out + at, text, len);
	return at + len;
}

/* As another program would write it. */
static size_t write_request(const struct http_request *q, char *out)
{
	size_t n = put(out, 0, q->method_text, q->method_len);
	n = put(out, n, " ", 1);
	n = put(out, n, q->target, q->target_len);
	n = put(out, n, q->head.minor ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n", 11);
	for (size_t i = 0; i < q->head.n; i++) {
		const struct http_field *f = &q->head.fields[i];
		n = put(out, n, f->name, f->name_len);
		n = put(out, n, ":", 1);
		n = put(out, n, f->value, f->value_len);
		n = put(out, n, "\r\n", 2);
	}
	return put(out, n, "\r\n", 2);
}

static void read_request(const char *buf, size_t size, size_t cut)
{
	static struct http_request q, again;
	enum http_fault why = HTTP_FAULT_NONE, why_again = HTTP_FAULT_NONE;
	ssize_t n = http_request_read(buf, size, 0, &q, &why);
	assert(n != -EBADMSG || why != HTTP_FAULT_NONE);

	ssize_t first = http_request_read(buf, cut, 0, &again, &why_again);
	if (first == -EAGAIN)
		check_same(n, http_request_read(buf, size, cut, &again, &why_again));
	if (n < 0)
		return;
	assert(first == n || first == -EAGAIN);
	check_head(&q.head, buf, (size_t)n);
	check_inside(q.target, q.target_len, buf, (size_t)n);
	autofree char *text = xcalloc((size_t)n + 4, 1);
	size_t len = write_request(&q, text);
	assert(len <= (size_t)n);
	assert(http_request_read(text, len, 0, &again, &why_again) == (ssize_t)len);
	assert(again.head.body == q.head.body && again.head.length == q.head.length);
	assert(again.head.persistent == q.head.persistent && again.head.n == q.head.n);
}

static void read_answer(const char *buf, size_t size, size_t cut, enum http_method method)
{
	static struct http_answer a, again;
	enum http_fault why = HTTP_FAULT_NONE;
	ssize_t n = http_answer_read(buf, size, 0, method, cut & 1, &a, &why);
	ssize_t first = http_answer_read(buf, cut, 0, method, cut & 1, &again, &why);

	if (first == -EAGAIN)
		check_same(n, http_answer_read(buf, size, cut, method, cut & 1, &again, &why));
	if (n < 0)
		return;
	check_head(&a.head, buf, (size_t)n);
	assert(a.status >= 100 && a.status <= 599);
	assert(a.head.body == HTTP_BODY_NONE || method != HTTP_METHOD_HEAD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	autofree char *buf = xcalloc(size - 1, 1);
	memcpy(buf, data + 1, size - 1);
	size_t cut = 1 + data[0] % (size - 1);

	read_request(buf, size - 1, cut);
	read_answer(buf, size - 1, cut, data[0] & 2 ? HTTP_METHOD_HEAD : HTTP_METHOD_GET);
	return 0;
}
