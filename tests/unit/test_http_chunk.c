/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/chunk.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Every case is read in pieces of each size from one byte up to the whole. */
static const struct {
	const char *name, *in;
	const char *data; /* nullptr = refused */
	enum http_fault fault;
	size_t more; /* bytes behind the body's end */
} cases[] = {
	{"one chunk", "5\r\nhello\r\n0\r\n\r\n", .data = "hello"},
	{"two chunks", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", .data = "hello!"},
	{"nothing", "0\r\n\r\n", .data = ""},
	{"the next message", "1\r\na\r\n0\r\n\r\nGET", .data = "a", .more = 3},
	{"hexadecimal", "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
		.data = "01234567890123456789"},
	{"leading zeros", "0005\r\nhello\r\n000\r\n\r\n", .data = "hello"},
	{"CRLF is data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", .data = "\r\n\r\n"},
	{"extension", "1;a\r\nx\r\n0;b=c;d=\"e \\\" ;\r\"\r\n\r\n",
		.fault = HTTP_FAULT_CHUNK_EXTENSION},
	{"extensions", "1;a\r\nx\r\n0;b=c;d=\"e \\\" ;\"\r\n\r\n", .data = "x"},
	{"trailer", "0\r\nX-Sum: 1\r\nX-Other:\r\n\r\n", .data = ""},
	{"long names are nobody's", "0\r\nContent-Length-And-Some-More: 1\r\n\r\n", .data = ""},

	{"no size", "\r\nhello\r\n", .fault = HTTP_FAULT_CHUNK_SIZE},
	{"no number", "x\r\n", .fault = HTTP_FAULT_CHUNK_SIZE},
	{"0x", "0x5\r\nhello\r\n0\r\n\r\n", .fault = HTTP_FAULT_CHUNK_SIZE},
	{"signed", "+5\r\nhello\r\n0\r\n\r\n", .fault = HTTP_FAULT_CHUNK_SIZE},
	{"negative", "-1\r\nhello\r\n0\r\n\r\n", .fault = HTTP_FAULT_CHUNK_SIZE},
	{"blank in front", " 5\r\nhello\r\n0\r\n\r\n", .fault = HTTP_FAULT_CHUNK_SIZE},
	{"blank behind", "5 \r\nhello\r\n0\r\n\r\n", .fault = HTTP_FAULT_CHUNK_SIZE},
	{"2^63", "8000000000000000\r\n", .fault = HTTP_FAULT_CHUNK_SIZE},
	{"2^64 + 5", "10000000000000005\r\nhello\r\n0\r\n\r\n", .fault = HTTP_FAULT_CHUNK_SIZE},
	{"seventeen digits", "00000000000000005\r\nhello\r\n0\r\n\r\n",
		.fault = HTTP_FAULT_CHUNK_SIZE},
	{"bare LF behind the size", "5\nhello\r\n0\r\n\r\n", .fault = HTTP_FAULT_CHUNK_SIZE},
	{"bare CR behind the size", "5\rhello\r\n0\r\n\r\n", .fault = HTTP_FAULT_CHUNK_SIZE},
	{"bare LF behind the data", "5\r\nhello\n0\r\n\r\n", .fault = HTTP_FAULT_CHUNK_END},
	{"bare CR behind the data", "5\r\nhello\r0\r\n\r\n", .fault = HTTP_FAULT_CHUNK_END},
	{"two CR behind the data", "5\r\nhello\r\r\n0\r\n\r\n", .fault = HTTP_FAULT_CHUNK_END},
	{"more data than said", "4\r\nhello\r\n0\r\n\r\n", .fault = HTTP_FAULT_CHUNK_END},
	{"less data than said", "6\r\nhello\r\n0\r\n\r\n", .fault = HTTP_FAULT_CHUNK_END},
	{"bare LF at the end", "0\r\n\n", .fault = HTTP_FAULT_TRAILER},
	{"empty extension", "1;\r\na\r\n", .fault = HTTP_FAULT_CHUNK_EXTENSION},
	{"blank in an extension", "1; a\r\na\r\n", .fault = HTTP_FAULT_CHUNK_EXTENSION},
	{"blank before an extension", "1 ;a\r\na\r\n", .fault = HTTP_FAULT_CHUNK_SIZE},
	{"bare LF in an extension", "1;a\nb\r\na\r\n0\r\n\r\n",
		.fault = HTTP_FAULT_CHUNK_EXTENSION},
	{"bare LF in quotes", "1;a=\"\n\"\r\na\r\n0\r\n\r\n", .fault = HTTP_FAULT_CHUNK_EXTENSION},
	{"bare LF behind an extension", "1;a\na\r\n0\r\n\r\n", .fault = HTTP_FAULT_CHUNK_EXTENSION},
	{"extension without value", "1;a=\r\na\r\n", .fault = HTTP_FAULT_CHUNK_EXTENSION},
	{"text behind quotes", "1;a=\"b\"c\r\na\r\n", .fault = HTTP_FAULT_CHUNK_EXTENSION},
	{"folded trailer", "0\r\nA: b\r\n c\r\n\r\n", .fault = HTTP_FAULT_TRAILER},
	{"trailer without colon", "0\r\nA\r\n\r\n", .fault = HTTP_FAULT_TRAILER},
	{"blank before the colon", "0\r\nA : b\r\n\r\n", .fault = HTTP_FAULT_TRAILER},
	{"control in a trailer", "0\r\nA: \x01\r\n\r\n", .fault = HTTP_FAULT_TRAILER},
	{"bare LF in a trailer", "0\r\nA: b\nC: d\r\n\r\n", .fault = HTTP_FAULT_TRAILER},
	{"bare CR in a trailer", "0\r\nA: b\rC: d\r\n\r\n", .fault = HTTP_FAULT_TRAILER},
	{"length in a trailer", "0\r\ncontent-length: 5\r\n\r\n", .fault = HTTP_FAULT_TRAILER},
	{"coding in a trailer", "0\r\nTransfer-Encoding: chunked\r\n\r\n",
		.fault = HTTP_FAULT_TRAILER},
	{"host in a trailer", "0\r\nHost: a\r\n\r\n", .fault = HTTP_FAULT_TRAILER},
	{"underscores in a trailer", "0\r\nContent_Length: 5\r\n\r\n", .fault = HTTP_FAULT_TRAILER},
	{"dots in a trailer", "0\r\nx.forwarded.of: a\r\n\r\n", .fault = HTTP_FAULT_TRAILER},
	{"caller in a trailer", "0\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n",
		.fault = HTTP_FAULT_TRAILER},
};

struct result {
	char data[256];
	size_t n, used;
	int error;
	enum http_fault why;
	bool ended;
};

/* One arrival: of exactly its size, so that a sanitizer sees who reads behind it. */
static void read_piece(struct http_chunk *c, const char *piece, size_t len, struct result *r)
{
	autofree char *copy = xcalloc(len, 1);
	memcpy(copy, piece, len);
	for (size_t at = 0; at < len && !http_chunk_ended(c) && !r->error;) {
		bool is_data;
		ssize_t n = http_chunk_next(c, copy + at, len - at, &is_data, &r->why);
		if (n < 0) {
			r->error = (int)n;
			return;
		}
		assert_true(n > 0);
		if (is_data) {
			memcpy(r->data + r->n, copy + at, (size_t)n);
			r->n += (size_t)n;
		}
		at += (size_t)n;
		r->used += (size_t)n;
	}
}

static struct result read_in_pieces(const char *in, size_t size)
{
	struct http_chunk c = {};
	struct result r = {};
	size_t len = strlen(in);

	for (size_t at = 0; at < len && !r.error; at += size)
		read_piece(&c, in + at, size < len - at ? size : len - at, &r);
	r.ended = http_chunk_ended(&c);
	return r;
}

static void test_cases(void **)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = strlen(cases[i].in);
		for (size_t size = 1; size <= len; size++) {
			struct result r = read_in_pieces(cases[i].in, size);
			bool ok = cases[i].data
					  ? r.ended && !r.error && r.used == len - cases[i].more &&
						    r.n == strlen(cases[i].data) &&
						    memcmp(r.data, cases[i].data, r.n) == 0
					  : r.error == -EBADMSG && r.why == cases[i].fault;
			if (!ok)
				fail_msg("%s, pieces of %zu: %d %s, data %.*s", cases[i].name, size,
					r.error, http_fault_str(r.why), (int)r.n, r.data);
		}
	}
}

/* The bytes that a scan takes are those of all runs together. */
static void test_scan(void **)
{
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct http_chunk c = {};
		enum http_fault why = HTTP_FAULT_NONE;
		ssize_t want = cases[i].data ? (ssize_t)(strlen(cases[i].in) - cases[i].more)
					     : -EBADMSG;
		if (http_chunk_scan(&c, cases[i].in, strlen(cases[i].in), &why) != want)
			fail_msg("%s", cases[i].name);
		assert_int_equal(why, cases[i].fault);
	}
}

/* Work without data has an end. */
static void test_bounds(void **)
{
	static const struct {
		const char *once, *again;
		enum http_fault fault;
	} floods[] = {
		{"1;", "a", HTTP_FAULT_CHUNK_EXTENSION},
		{"", "1;a=b\r\nx\r\n", HTTP_FAULT_CHUNK_EXTENSION},
		{"0\r\n", "A: b\r\n", HTTP_FAULT_TRAILER_SIZE},
		{"0\r\n", "A", HTTP_FAULT_TRAILER},
	};
	for (size_t i = 0; i < COUNT(floods); i++) {
		struct http_chunk c = {};
		enum http_fault why = HTTP_FAULT_NONE;
		ssize_t n = http_chunk_scan(&c, floods[i].once, strlen(floods[i].once), &why);
		for (size_t k = 0; k < 10'000 && n >= 0; k++)
			n = http_chunk_scan(&c, floods[i].again, strlen(floods[i].again), &why);
		assert_int_equal(n, -EBADMSG);
		assert_int_equal(why, floods[i].fault);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
