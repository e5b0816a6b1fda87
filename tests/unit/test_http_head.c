/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/head.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>

/* The conformance table: what is accepted, and what is refused and why. Every case is read whole,
 * byte by byte, and with more bytes behind it; what is accepted must be the same each time. */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define OPTIONS "OPTIONS / HTTP/1.1\r\nHost: a\r\n"
#define OK "HTTP/1.1 200 OK\r\n"

struct text {
	const char *at;
	size_t len;
};
#define TEXT(literal) {literal, sizeof(literal) - 1}

struct request_case {
	const char *name;
	struct text in;
	enum http_fault fault;
	enum http_body body;
	int64_t length;
	bool close, upgrade, expects;
	bool limited;
	uint32_t hops;
};

static const struct request_case requests[] = {
	{"hops", TEXT(OPTIONS "Max-Forwards: 10\r\n\r\n"), .length = -1, .limited = true,
		.hops = 10},
	{"no hops left", TEXT(OPTIONS "max-forwards: 0\r\n\r\n"), .length = -1, .limited = true},
	{"hops without end", TEXT(OPTIONS "Max-Forwards: 99999999999999999999\r\n\r\n"),
		.length = -1, .limited = true, .hops = 1000000},
	{"hops are none", TEXT(OPTIONS "Max-Forwards: -1\r\n\r\n"),
		.fault = HTTP_FAULT_MAX_FORWARDS},
	{"hops are empty", TEXT(OPTIONS "Max-Forwards:\r\n\r\n"), .fault = HTTP_FAULT_MAX_FORWARDS},
	{"hops in a list", TEXT(OPTIONS "Max-Forwards: 1, 1\r\n\r\n"),
		.fault = HTTP_FAULT_MAX_FORWARDS},
	{"hops twice", TEXT(OPTIONS "Max-Forwards: 1\r\nMax-Forwards: 1\r\n\r\n"),
		.fault = HTTP_FAULT_MAX_FORWARDS},
	{"hops of another method", TEXT(GET "Max-Forwards: x\r\n\r\n"), .length = -1},
	{"smallest", TEXT(GET "\r\n"), .length = -1},
	{"an empty line in front", TEXT("\r\n" GET "\r\n"), .length = -1},
	{"length", TEXT(POST "Content-Length: 10\r\n\r\n"), .body = HTTP_BODY_LENGTH, .length = 10},
	{"length zero", TEXT(POST "Content-Length: 0\r\n\r\n"), .body = HTTP_BODY_LENGTH},
	{"leading zeros", TEXT(POST "Content-Length: 0010\r\n\r\n"), .body = HTTP_BODY_LENGTH,
		.length = 10},
	{"blanks around a value", TEXT(POST "Content-Length: \t 10 \t\r\n\r\n"),
		.body = HTTP_BODY_LENGTH, .length = 10},
	{"no blank before a value", TEXT(POST "content-length:10\r\n\r\n"),
		.body = HTTP_BODY_LENGTH, .length = 10},
	{"chunked", TEXT(POST "Transfer-Encoding: chunked\r\n\r\n"), .body = HTTP_BODY_CHUNKED,
		.length = -1},
	{"chunked in capitals", TEXT(POST "TRANSFER-ENCODING: CHUNKED\r\n\r\n"),
		.body = HTTP_BODY_CHUNKED, .length = -1},
	{"close", TEXT(GET "Connection: close\r\n\r\n"), .length = -1, .close = true},
	{"close in a list", TEXT(GET "Connection: x ,, Close\r\n\r\n"), .length = -1,
		.close = true},
	{"1.0", TEXT("GET / HTTP/1.0\r\nHost: a\r\n\r\n"), .length = -1, .close = true},
	{"1.0 that stays", TEXT("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"),
		.length = -1},
	{"1.0 both", TEXT("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n"),
		.length = -1, .close = true},
	{"websocket", TEXT(GET "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"), .length = -1,
		.upgrade = true},
	{"websocket in a list",
		TEXT(GET "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n"),
		.length = -1, .upgrade = true},
	{"h2c is no upgrade",
		TEXT(GET
			"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n"),
		.length = -1},
	{"upgrade that Connection does not name", TEXT(GET "Upgrade: websocket\r\n\r\n"),
		.length = -1},
	{"two upgrades are none",
		TEXT(GET "Connection: upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n\r\n"),
		.length = -1},
	{"upgrade in 1.0 is none",
		TEXT("GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
		.length = -1, .close = true},
	{"expect", TEXT(POST "Content-Length: 3\r\nExpect: 100-Continue\r\n\r\n"),
		.body = HTTP_BODY_LENGTH, .length = 3, .expects = true},
	{"expect without a body", TEXT(GET "Expect: 100-continue\r\n\r\n"), .length = -1},
	{"obs-text in a value", TEXT(GET "X: \xc3\xa4\r\n\r\n"), .length = -1},
	{"empty value", TEXT(GET "X:\r\n\r\n"), .length = -1},
	{"any token is a method", TEXT("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n"), .length = -1},

	/* The request line. */
	{"two empty lines in front", TEXT("\r\n\r\n" GET "\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"bare LF in front", TEXT("\n" GET "\r\n"), .fault = HTTP_FAULT_BARE_LF},
	{"no version", TEXT("GET /\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"0.9", TEXT("GET / HTTP/0.9\r\nHost: a\r\n\r\n"), .fault = HTTP_FAULT_VERSION},
	{"2.0", TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), .fault = HTTP_FAULT_VERSION},
	{"1.2", TEXT("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), .fault = HTTP_FAULT_VERSION},
	{"1.10", TEXT("GET / HTTP/1.10\r\nHost: a\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"version in small letters", TEXT("GET / http/1.1\r\nHost: a\r\n\r\n"),
		.fault = HTTP_FAULT_SYNTAX},
	{"blank behind the version", TEXT("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
		.fault = HTTP_FAULT_SYNTAX},
	{"two blanks", TEXT("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"blank in front", TEXT(" GET / HTTP/1.1\r\nHost: a\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"tab for a blank", TEXT("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"blank in the target", TEXT("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
		.fault = HTTP_FAULT_SYNTAX},
	{"NUL in the target", TEXT("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
		.fault = HTTP_FAULT_SYNTAX},
	{"a method that is no token", TEXT("G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
		.fault = HTTP_FAULT_SYNTAX},
	{"a colon in the method", TEXT("Host:GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		.fault = HTTP_FAULT_SYNTAX},
	{"connect", TEXT("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"), .fault = HTTP_FAULT_METHOD},
	{"trace", TEXT("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"), .fault = HTTP_FAULT_METHOD},
	{"TLS", TEXT("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
		.fault = HTTP_FAULT_SYNTAX},

	/* Lines and fields. */
	{"bare LF behind the request line", TEXT("GET / HTTP/1.1\nHost: a\r\n\r\n"),
		.fault = HTTP_FAULT_BARE_LF},
	{"bare LF behind a field", TEXT("GET / HTTP/1.1\r\nHost: a\n\r\n"),
		.fault = HTTP_FAULT_BARE_LF},
	{"bare LF at the end", TEXT(GET "\n"), .fault = HTTP_FAULT_BARE_LF},
	{"bare LF everywhere", TEXT("GET / HTTP/1.1\nHost: a\n\n"), .fault = HTTP_FAULT_BARE_LF},
	{"bare CR in a value", TEXT(GET "X: a\rb\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"bare CR in a name", TEXT(GET "X\r: a\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"two CR", TEXT(GET "X: a\r\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"folded", TEXT(GET "X: a\r\n b\r\n\r\n"), .fault = HTTP_FAULT_FOLDED},
	{"folded by a tab", TEXT(GET "X: a\r\n\tb\r\n\r\n"), .fault = HTTP_FAULT_FOLDED},
	{"folded framing", TEXT(POST "Transfer-Encoding:\r\n chunked\r\n\r\n"),
		.fault = HTTP_FAULT_CODING},
	{"blank in front of the first field", TEXT("GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
		.fault = HTTP_FAULT_SYNTAX},
	{"blank before the colon", TEXT(POST "Content-Length : 3\r\n\r\n"),
		.fault = HTTP_FAULT_SYNTAX},
	{"tab before the colon", TEXT(POST "Transfer-Encoding\t: chunked\r\n\r\n"),
		.fault = HTTP_FAULT_SYNTAX},
	{"no colon", TEXT(GET "X\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"no name", TEXT(GET ": a\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"a name in brackets", TEXT(GET "X[]: a\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"NUL in a name", TEXT(GET "X\0: a\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"obs-text in a name", TEXT(GET "X\xc3: a\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"NUL in a value", TEXT(GET "X: a\0b\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"control in a value", TEXT(GET "X: a\x01\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"DEL in a value", TEXT(GET "X: a\x7f\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},

	/* Host. */
	{"no host", TEXT("GET / HTTP/1.1\r\n\r\n"), .fault = HTTP_FAULT_HOST_MISSING},
	{"no host in 1.0", TEXT("GET / HTTP/1.0\r\n\r\n"), .fault = HTTP_FAULT_HOST_MISSING},
	{"two hosts", TEXT(GET "Host: b\r\n\r\n"), .fault = HTTP_FAULT_HOST_TWICE},
	{"the same host twice", TEXT(GET "host: a\r\n\r\n"), .fault = HTTP_FAULT_HOST_TWICE},

	/* Framing. */
	{"length and coding", TEXT(POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
		.fault = HTTP_FAULT_LENGTH_AND_CODING},
	{"coding and length", TEXT(POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"),
		.fault = HTTP_FAULT_LENGTH_AND_CODING},
	{"two lengths", TEXT(POST "Content-Length: 3\r\nContent-Length: 4\r\n\r\n"),
		.fault = HTTP_FAULT_LENGTH},
	{"one length twice", TEXT(POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\n"),
		.fault = HTTP_FAULT_LENGTH},
	{"a list of lengths", TEXT(POST "Content-Length: 3, 3\r\n\r\n"),
		.fault = HTTP_FAULT_LENGTH},
	{"a signed length", TEXT(POST "Content-Length: +3\r\n\r\n"), .fault = HTTP_FAULT_LENGTH},
	{"a negative length", TEXT(POST "Content-Length: -3\r\n\r\n"), .fault = HTTP_FAULT_LENGTH},
	{"a hexadecimal length", TEXT(POST "Content-Length: 0x3\r\n\r\n"),
		.fault = HTTP_FAULT_LENGTH},
	{"a blank in the length", TEXT(POST "Content-Length: 3 4\r\n\r\n"),
		.fault = HTTP_FAULT_LENGTH},
	{"an empty length", TEXT(POST "Content-Length:\r\n\r\n"), .fault = HTTP_FAULT_LENGTH},
	{"a length beyond 64 bits", TEXT(POST "Content-Length: 18446744073709551619\r\n\r\n"),
		.fault = HTTP_FAULT_LENGTH},
	{"gzip", TEXT(POST "Transfer-Encoding: gzip\r\n\r\n"), .fault = HTTP_FAULT_CODING},
	{"gzip, chunked", TEXT(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"),
		.fault = HTTP_FAULT_CODING},
	{"chunked, chunked", TEXT(POST "Transfer-Encoding: chunked, chunked\r\n\r\n"),
		.fault = HTTP_FAULT_CODING},
	{"chunked twice",
		TEXT(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
		.fault = HTTP_FAULT_CODING},
	{"chunked, identity", TEXT(POST "Transfer-Encoding: chunked, identity\r\n\r\n"),
		.fault = HTTP_FAULT_CODING},
	{"identity", TEXT(POST "Transfer-Encoding: identity\r\n\r\n"), .fault = HTTP_FAULT_CODING},
	{"an empty coding", TEXT(POST "Transfer-Encoding:\r\n\r\n"), .fault = HTTP_FAULT_CODING},
	{"a quoted coding", TEXT(POST "Transfer-Encoding: \"chunked\"\r\n\r\n"),
		.fault = HTTP_FAULT_CODING},
	{"a coding with a parameter", TEXT(POST "Transfer-Encoding: chunked;a=b\r\n\r\n"),
		.fault = HTTP_FAULT_CODING},
	{"a coding behind a vertical tab", TEXT(POST "Transfer-Encoding: \vchunked\r\n\r\n"),
		.fault = HTTP_FAULT_SYNTAX},
	{"a coding in 1.0",
		TEXT("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
		.fault = HTTP_FAULT_CODING},
	{"length named by Connection",
		TEXT(POST "Connection: content-length\r\nContent-Length: 3\r\n\r\n"),
		.fault = HTTP_FAULT_SYNTAX},
	{"coding named by Connection",
		TEXT(POST "Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n\r\n"),
		.fault = HTTP_FAULT_SYNTAX},
	{"host named by Connection", TEXT(GET "Connection: host\r\n\r\n"),
		.fault = HTTP_FAULT_SYNTAX},
	{"Connection is no list", TEXT(GET "Connection: a b\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"upgrade with a body",
		TEXT(GET "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\n"),
		.fault = HTTP_FAULT_UPGRADE},
	{"upgrade by POST", TEXT(POST "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
		.fault = HTTP_FAULT_UPGRADE},
	{"another expectation", TEXT(GET "Expect: x\r\n\r\n"), .fault = HTTP_FAULT_EXPECT},
	{"two expectations",
		TEXT(POST "Content-Length: 1\r\nExpect: 100-continue\r\nExpect: x\r\n\r\n"),
		.fault = HTTP_FAULT_EXPECT},
};

struct answer_case {
	const char *name;
	struct text in;
	enum http_fault fault;
	enum http_body body;
	int64_t length;
	bool close;
	enum http_method method;
	bool upgrade;
};

static const struct answer_case answers[] = {
	{"until the end", TEXT(OK "\r\n"), .body = HTTP_BODY_CLOSE, .length = -1, .close = true},
	{"length", TEXT(OK "Content-Length: 5\r\n\r\n"), .body = HTTP_BODY_LENGTH, .length = 5},
	{"chunked", TEXT(OK "Transfer-Encoding: chunked\r\n\r\n"), .body = HTTP_BODY_CHUNKED,
		.length = -1},
	{"no reason", TEXT("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"), .body = HTTP_BODY_LENGTH},
	{"1.0", TEXT("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n"), .body = HTTP_BODY_LENGTH,
		.length = 5, .close = true},
	{"to HEAD", TEXT(OK "Content-Length: 5\r\n\r\n"), .length = 5, .method = HTTP_METHOD_HEAD},
	{"to HEAD, chunked", TEXT(OK "Transfer-Encoding: chunked\r\n\r\n"), .length = -1,
		.method = HTTP_METHOD_HEAD},
	{"100", TEXT("HTTP/1.1 100 Continue\r\n\r\n"), .length = -1},
	{"204", TEXT("HTTP/1.1 204 No Content\r\n\r\n"), .length = -1},
	{"204 of length 0", TEXT("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
		.length = 0},
	{"304", TEXT("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), .length = 5},
	{"101", TEXT("HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
		.length = -1, .upgrade = true},
	{"refused upgrade", TEXT(OK "Content-Length: 0\r\n\r\n"), .body = HTTP_BODY_LENGTH,
		.upgrade = true},

	{"a request", TEXT(GET "\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"an empty line in front", TEXT("\r\n" OK "\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"0.9", TEXT("hello\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"2.0", TEXT("HTTP/2.0 200 OK\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"1.3", TEXT("HTTP/1.3 200 OK\r\n\r\n"), .fault = HTTP_FAULT_VERSION},
	{"no blank behind the status", TEXT("HTTP/1.1 200\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"status of two digits", TEXT("HTTP/1.1 20 OK\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"status of four digits", TEXT("HTTP/1.1 2000 OK\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"status 099", TEXT("HTTP/1.1 099 OK\r\n\r\n"), .fault = HTTP_FAULT_STATUS},
	{"status 600", TEXT("HTTP/1.1 600 OK\r\n\r\n"), .fault = HTTP_FAULT_STATUS},
	{"control in the reason", TEXT("HTTP/1.1 200 O\x01K\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"bare CR in the reason", TEXT("HTTP/1.1 200 O\rK\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"bare LF behind the status", TEXT("HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"),
		.fault = HTTP_FAULT_BARE_LF},
	{"bare LF behind a field", TEXT(OK "Content-Length: 0\n\r\n"), .fault = HTTP_FAULT_BARE_LF},
	{"bare LF at the end", TEXT(OK "Content-Length: 0\r\n\n"), .fault = HTTP_FAULT_BARE_LF},
	{"folded", TEXT(OK "X: a\r\n b\r\n\r\n"), .fault = HTTP_FAULT_FOLDED},
	{"blank before the colon", TEXT(OK "Content-Length : 0\r\n\r\n"),
		.fault = HTTP_FAULT_SYNTAX},
	{"NUL in a value", TEXT(OK "X: \0\r\n\r\n"), .fault = HTTP_FAULT_SYNTAX},
	{"length and coding", TEXT(OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
		.fault = HTTP_FAULT_LENGTH_AND_CODING},
	{"length and coding to HEAD",
		TEXT(OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
		.fault = HTTP_FAULT_LENGTH_AND_CODING, .method = HTTP_METHOD_HEAD},
	{"two lengths", TEXT(OK "Content-Length: 3\r\nContent-Length: 3\r\n\r\n"),
		.fault = HTTP_FAULT_LENGTH},
	{"a list of lengths", TEXT(OK "Content-Length: 3,3\r\n\r\n"), .fault = HTTP_FAULT_LENGTH},
	{"gzip, chunked", TEXT(OK "Transfer-Encoding: gzip, chunked\r\n\r\n"),
		.fault = HTTP_FAULT_CODING},
	{"chunked in 1.0", TEXT("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
		.fault = HTTP_FAULT_CODING},
	{"204 with a body", TEXT("HTTP/1.1 204 N\r\nContent-Length: 3\r\n\r\n"),
		.fault = HTTP_FAULT_BODY},
	{"204 chunked", TEXT("HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n"),
		.fault = HTTP_FAULT_BODY},
	{"100 with a body", TEXT("HTTP/1.1 100 C\r\nContent-Length: 3\r\n\r\n"),
		.fault = HTTP_FAULT_BODY},
	{"101 that nobody asked for",
		TEXT("HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
		.fault = HTTP_FAULT_UPGRADE},
	{"101 to h2c", TEXT("HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"),
		.fault = HTTP_FAULT_UPGRADE, .upgrade = true},
	{"101 without Upgrade", TEXT("HTTP/1.1 101 S\r\n\r\n"), .fault = HTTP_FAULT_UPGRADE,
		.upgrade = true},
};

static struct http_request request;
static struct http_answer answer;

/* Bytes in memory of exactly their size, so that a sanitizer sees who reads behind them. */
static char *exactly(const char *bytes, size_t len)
{
	char *copy = xcalloc(len ? len : 1, 1);
	memcpy(copy, bytes, len);
	return copy;
}

typedef ssize_t reader(
	const void *c, const char *buf, size_t len, size_t last, enum http_fault *why);

static ssize_t read_request(
	const void *, const char *buf, size_t len, size_t last, enum http_fault *why)
{
	return http_request_read(buf, len, last, &request, why);
}

static ssize_t read_answer(
	const void *c, const char *buf, size_t len, size_t last, enum http_fault *why)
{
	const struct answer_case *a = c;
	return http_answer_read(buf, len, last, a->method, a->upgrade, &answer, why);
}

/* As a connection does it: each byte in its turn, the buffer moving with each. */
static ssize_t read_slowly(reader *read, const void *c, struct text in, enum http_fault *why)
{
	for (size_t len = 1; len <= in.len; len++) {
		autofree char *part = exactly(in.at, len);
		ssize_t n = read(c, part, len, len - 1, why);
		if (n != -EAGAIN)
			return n;
	}
	return -EAGAIN;
}

static ssize_t read_whole(
	reader *read, const void *c, struct text in, size_t more, enum http_fault *why)
{
	autofree char *all = xcalloc(in.len + more, 1);
	memcpy(all, in.at, in.len);
	memset(all + in.len, 'G', more);
	return read(c, all, in.len + more, 0, why);
}

static void check(
	reader *read, const void *c, const char *name, struct text in, enum http_fault fault)
{
	enum http_fault why = HTTP_FAULT_NONE, slowly = HTTP_FAULT_NONE, more = HTTP_FAULT_NONE;
	ssize_t want = fault == HTTP_FAULT_NONE ? (ssize_t)in.len : -EBADMSG;

	if (read_slowly(read, c, in, &slowly) != want)
		fail_msg("%s: byte by byte", name);
	/* The fast look for the end of a head may refuse before the reader knows why. */
	if (slowly != fault && slowly != HTTP_FAULT_SYNTAX)
		fail_msg("%s: byte by byte: %s", name, http_fault_str(slowly));
	ssize_t got = read_whole(read, c, in, 9, &more);
	if (fault == HTTP_FAULT_NONE && got != want)
		fail_msg("%s: with more behind it: %zd, %s", name, got, http_fault_str(more));
	if (read_whole(read, c, in, 0, &why) != want || why != fault)
		fail_msg("%s: %s, not %s", name, http_fault_str(why), http_fault_str(fault));
}

static void test_requests(void **)
{
	for (size_t i = 0; i < COUNT(requests); i++) {
		const struct request_case *c = &requests[i];
		check(read_request, c, c->name, c->in, c->fault);
		if (c->fault != HTTP_FAULT_NONE)
			continue;
		if (request.head.body != c->body || request.head.length != c->length ||
			request.head.persistent == c->close || request.head.upgrade != c->upgrade ||
			request.expects_continue != c->expects || request.limited != c->limited ||
			request.hops != c->hops)
			fail_msg("%s: read otherwise", c->name);
	}
}

static void test_answers(void **)
{
	for (size_t i = 0; i < COUNT(answers); i++) {
		const struct answer_case *c = &answers[i];
		check(read_answer, c, c->name, c->in, c->fault);
		if (c->fault != HTTP_FAULT_NONE)
			continue;
		if (answer.head.body != c->body || answer.head.length != c->length ||
			answer.head.persistent == c->close)
			fail_msg("%s: read otherwise", c->name);
	}
}

/* What is accepted shows in the struct as it was sent. */
static void test_values(void **)
{
	static const char text[] = "PUT /a?b HTTP/1.1\r\nhOST: a:80\r\nX-Y:  1 2 \r\nVIA:\r\n\r\n";
	enum http_fault why = HTTP_FAULT_NONE;

	assert_int_equal(
		http_request_read(text, sizeof(text) - 1, 0, &request, &why), sizeof(text) - 1);
	assert_int_equal(request.method, HTTP_METHOD_PUT);
	assert_true(request.idempotent);
	assert_memory_equal(request.target, "/a?b", request.target_len);
	assert_memory_equal(request.host, "a:80", request.host_len);
	assert_int_equal(request.head.n, 3);
	assert_int_equal(request.head.names[0], HTTP_NAME_HOST);
	assert_int_equal(request.head.fields[1].value_len, 3);
	assert_memory_equal(request.head.fields[1].value, "1 2", 3);
	assert_ptr_equal(http_head_find(&request.head, HTTP_NAME_VIA), &request.head.fields[2]);
	assert_int_equal(request.head.fields[2].value_len, 0);
	assert_null(http_head_find(&request.head, HTTP_NAME_TE));
}

static void test_nominated(void **)
{
	static const char text[] =
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-A\r\nX-a: 1\r\n"
		"Connection: x-c\r\nX-B: 2\r\nX-C: 3\r\n\r\n";
	static const bool want[] = {false, false, true, false, false, true};
	enum http_fault why = HTTP_FAULT_NONE;

	assert_true(http_request_read(text, sizeof(text) - 1, 0, &request, &why) > 0);
	assert_int_equal(request.head.n, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++)
		assert_int_equal(
			http_head_nominates(&request.head, &request.head.fields[i]), want[i]);
}

static void add(char *text, size_t *len, const char *more)
{
	size_t n = strlen(more);
	memcpy(text + *len, more, n + 1);
	*len += n;
}

static void test_too_many_fields(void **)
{
	char text[4096] = GET;
	enum http_fault why = HTTP_FAULT_NONE;
	size_t fields = strlen(text);

	for (size_t i = 1; i < HTTP_FIELDS_MAX; i++)
		add(text, &fields, "X: a\r\n");
	size_t len = fields;
	add(text, &len, "\r\n");
	assert_int_equal(http_request_read(text, len, 0, &request, &why), len);
	assert_int_equal(request.head.n, HTTP_FIELDS_MAX);
	add(text, &fields, "X: a\r\n\r\n");
	assert_int_equal(http_request_read(text, fields, 0, &request, &why), -EBADMSG);
	assert_int_equal(why, HTTP_FAULT_FIELDS);
}

/* Every name is found in any case, by itself alone, and has room where trailers keep it. */
static void test_names(void **)
{
	for (unsigned i = 1; i < HTTP_NAME_MAX; i++) {
		const char *name = http_name_str((enum http_name)i);
		char lower[HTTP_NAME_LEN + 1] = "";
		size_t len = strlen(name);
		assert_in_range(len, 2, HTTP_NAME_LEN);
		for (size_t k = 0; k < len; k++)
			lower[k] = (char)tolower(name[k]);
		assert_int_equal(http_name_find(name, len), i);
		assert_int_equal(http_name_find(lower, len), i);
		assert_int_equal(http_name_find(name, len - 1), HTTP_NAME_OTHER);
	}
	assert_int_equal(http_name_find("X-Other", 7), HTTP_NAME_OTHER);
}

static void test_faults(void **)
{
	for (unsigned i = 1; i < HTTP_FAULT_MAX; i++) {
		int status = http_fault_status((enum http_fault)i);
		assert_true(*http_fault_str((enum http_fault)i) != '\0');
		assert_true(*http_fault_text((enum http_fault)i) != '\0');
		assert_true(status >= 400 && status < 600);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_nominated),
		cmocka_unit_test(test_too_many_fields),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_faults),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
