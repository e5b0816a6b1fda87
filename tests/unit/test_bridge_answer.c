/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the bridge answers itself: every code of a verdict has its status, every refusal its own,
 * what is revealed is what the configuration allows, and no text from elsewhere ends a line, a
 * string or a label.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "answer/answer.h"
#include "answer/cause.h"
#include "http/head.h"
#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "verdict/code.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* RFC 9209, 2.3.1 to 2.3.31. */
static bool is_error_type(const char *error)
{
	static const char *const types[] = {"dns_timeout", "dns_error", "destination_not_found",
		"destination_unavailable", "destination_ip_prohibited", "destination_ip_unroutable",
		"connection_refused", "connection_terminated", "connection_timeout",
		"connection_read_timeout", "connection_write_timeout", "connection_limit_reached",
		"tls_protocol_error", "tls_certificate_error", "tls_alert_received",
		"http_request_error", "http_request_denied", "http_response_incomplete",
		"http_response_header_section_size", "http_response_header_size",
		"http_response_body_size", "http_response_trailer_section_size",
		"http_response_trailer_size", "http_response_transfer_coding",
		"http_response_content_coding", "http_response_timeout", "http_upgrade_failed",
		"http_protocol_error", "proxy_internal_response", "proxy_internal_error",
		"proxy_configuration_error", "proxy_loop_detected"};

	for (size_t i = 0; i < COUNT(types); i++)
		if (strcmp(types[i], error) == 0)
			return true;
	return false;
}

static void test_every_code_has_its_answer(void **)
{
	for (unsigned i = 0; i < CODES; i++) {
		const char *code = code_str((enum code)i);
		const struct cause *cause = cause_find(code);
		if (!cause)
			fail_msg("%s is not in the table of causes", code);
		bool decided = code_row((enum code)i)->class != CODE_CLASS_UNDECIDED &&
			       code_row((enum code)i)->class != CODE_CLASS_HEALTHY;
		if (!decided)
			assert_int_equal(cause->status, 0);
		if (code_row((enum code)i)->class == CODE_CLASS_HEALTHY)
			assert_false(cause->about_flow);
	}
	assert_null(cause_at(CODES)); /* and nothing else */
	for (size_t i = 0; i < CODES; i++) {
		const struct cause *c = cause_at(i);
		assert_non_null(c);
		assert_int_equal(!c->status, !c->error);
		assert_true(!c->error || is_error_type(c->error));
		assert_true(!c->status || answer_status_phrase(c->status)[0]);
	}
	assert_null(cause_find("unheard-of"));
}

static void test_every_reason_has_its_row(void **)
{
	for (unsigned i = 0; i < ANSWERS; i++) {
		const struct answer_row *row = answer_row((enum answer_reason)i);
		assert_true(row->code && row->title && row->error);
		assert_true(answer_status_phrase(row->status)[0]);
		assert_true(is_error_type(row->error));
		assert_int_equal(row->title[strlen(row->title) - 1], '.');
		assert_true(!row->ask || row->status >= 500);
		assert_int_equal(code_parse(row->code), CODES); /* a verdict's is another's */
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(row->code, answer_row((enum answer_reason)j)->code);
	}
	assert_int_equal(answer_reason_of_connect(ECONNREFUSED), ANSWER_CONNECT_REFUSED);
	assert_int_equal(answer_reason_of_connect(EPERM), ANSWER_CONNECT_PROHIBITED);
	assert_int_equal(answer_reason_of_connect(EIO), ANSWER_CONNECT_FAILED);
}

/* The page tells of each of them, and of nothing else. */
static void test_reasons_are_in_the_page(void **)
{
	autofclose FILE *f = fopen(TEST_PROJECT_DIR "/httpbridge/meshgw-bridge.8", "re");
	char line[256], code[128], status[16] = "";
	size_t found = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, ".It Li %127s", code) != 1)
			continue;
		assert_non_null(fgets(status, sizeof(status), f));
		unsigned i = 0;
		while (i < ANSWERS && strcmp(answer_row((enum answer_reason)i)->code, code) != 0)
			i++;
		if (i == ANSWERS)
			fail_msg("there is no %s", code);
		assert_int_equal(
			strtoul(status, nullptr, 10), answer_row((enum answer_reason)i)->status);
		found++;
	}
	assert_int_equal(found, ANSWERS);
}

static const struct answer_sending sending = {.date = "Sun, 22 Nov 2026 00:10:33 GMT"};

static const char some_verdict[] =
	"{\"id\":\"01J2X\",\"code\":\"return-route-missing\",\"class\":\"node\","
	"\"confidence\":\"certain\",\"title\":\"No route leads back.\","
	"\"summary\":\"10.0.1.50 answers and the answer leaves by eth0\","
	"\"candidates\":[\"upstream-silent\"],\"next\":\"service-port-closed\","
	"\"attributes\":{\"peer\":\"10.9.9.9\"},"
	"\"flow\":\"tcp 10.0.1.50:3000\",\"evidence\":[{\"source\":\"route\","
	"\"says\":\"via 10.0.1.1\",\"command\":\"ip route get 100.64.12.189\"}],"
	"\"remedy\":{\"text\":\"Run meshgw.\",\"commands\":[\"meshgw fix x\"],\"applicable\":true}}";

static sd_json_variant *json_of(const char *text)
{
	sd_json_variant *v = nullptr;

	if (sd_json_parse(text, 0, &v, nullptr, nullptr) < 0)
		fail_msg("no JSON: %s", text);
	return v;
}

/* The whole response, NUL-terminated, after a strict reader has taken it. */
static const char *answered(const struct answer_failure *f, const struct answer_sending *how)
{
	static char out[ANSWER_USUAL + 1];
	struct http_answer head;
	enum http_fault why = HTTP_FAULT_NONE;
	size_t n = answer_failure(f, how, out, ANSWER_USUAL);

	out[n] = '\0';
	ssize_t len = http_answer_read(out, n, 0, HTTP_METHOD_GET, false, &head, &why);
	if (len < 0)
		fail_msg("%s: %s", out, http_fault_str(why));
	assert_int_equal(head.status, answer_failure_status(f));
	assert_int_equal(n - (size_t)len, how->head ? 0 : head.head.length);
	if (!how->head) {
		autojson sd_json_variant *body = json_of(out + len);
		assert_string_equal(sd_json_variant_string(sd_json_variant_by_key(body, "code")),
			answer_failure_code(f));
	}
	return out;
}

static void test_refusals(void **)
{
	const char *text = answered(
		&(struct answer_failure){
			.reason = ANSWER_BAD_REQUEST, .fault = "folded", .request_id = "4bf9"},
		&(struct answer_sending){.date = sending.date, .close = true});
	assert_string_equal(text,
		"HTTP/1.1 400 Bad Request\r\n"
		"Date: Sun, 22 Nov 2026 00:10:33 GMT\r\n"
		"Content-Type: application/problem+json\r\n"
		"Content-Length: 268\r\n"
		"Cache-Control: no-store\r\n"
		"X-Content-Type-Options: nosniff\r\n"
		"Connection: close\r\n"
		"Proxy-Status: meshgw; error=http_request_error; "
		"details=\"bad-request; fault=folded\"\r\n"
		"\r\n"
		"{\"type\":\"urn:meshgw:code:bad-request\","
		"\"title\":\"The request is malformed or has more than one reading.\",\"status\":400,"
		"\"detail\":\"The request is malformed or has more than one reading.\","
		"\"code\":\"bad-request\",\"error\":\"http_request_error\",\"fault\":\"folded\","
		"\"requestId\":\"4bf9\"}");
	text = answered(
		&(struct answer_failure){.reason = ANSWER_NO_ROUTE, .node = "gw1"}, &sending);
	assert_non_null(strstr(text, "\r\nProxy-Status: meshgw-gw1; error="));
	text = answered(&(struct answer_failure){.reason = ANSWER_TOKEN_WRONG}, &sending);
	assert_non_null(strstr(text, "\r\nWWW-Authenticate: Bearer realm=\"meshgw\", "
				     "error=\"invalid_token\"\r\n"));
	text = answered(&(struct answer_failure){.reason = ANSWER_TOKEN_MISSING}, &sending);
	assert_non_null(strstr(text, "\r\nWWW-Authenticate: Bearer realm=\"meshgw\"\r\n"));
	text = answered(&(struct answer_failure){.reason = ANSWER_WRONG_METHOD},
		&(struct answer_sending){.date = sending.date, .keep_alive = true, .head = true});
	assert_non_null(strstr(text, "\r\nAllow: GET, HEAD\r\n"));
	assert_non_null(strstr(text, "\r\nConnection: keep-alive\r\n"));
	text = answered(
		&(struct answer_failure){.reason = ANSWER_SOURCE_CONNECTIONS, .retry_after_s = 1},
		&sending);
	assert_non_null(strstr(text, "\r\nRetry-After: 1\r\n"));
	for (unsigned i = 0; i < ANSWERS; i++)
		answered(&(struct answer_failure){.reason = (enum answer_reason)i}, &sending);
}

static void test_verdict_decides(void **)
{
	static const struct {
		const char *verdict, *code;
		unsigned status;
	} cases[] = {
		{"{\"code\":\"return-route-missing\"}", "return-route-missing", 502},
		{"{\"code\":\"upstream-silent\"}", "upstream-silent", 504},
		{"{\"code\":\"inconclusive\"}", "upstream-connect-timeout", 504},
		{"{\"code\":\"of-a-newer-meshgwd\"}", "of-a-newer-meshgwd", 504},
		{"{\"code\":\"healthy\"}", "upstream-connect-timeout", 504},
		{"{\"code\":\"recovered\"}", "upstream-connect-timeout", 504},
		{"{\"code\":\"Bad Code\"}", "upstream-connect-timeout", 504},
		{"{\"code\":\"\"}", "upstream-connect-timeout", 504},
		{"{\"code\":7}", "upstream-connect-timeout", 504},
		{"{}", "upstream-connect-timeout", 504},
		{"[]", "upstream-connect-timeout", 504},
		{"null", "upstream-connect-timeout", 504},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		autojson sd_json_variant *verdict = json_of(cases[i].verdict);
		const struct answer_failure f = {.reason = ANSWER_CONNECT_TIMEOUT,
			.verdict = verdict,
			.reveal = BRIDGE_REVEAL_ALL};
		assert_string_equal(answer_failure_code(&f), cases[i].code);
		assert_int_equal(answer_failure_status(&f), cases[i].status);
		answered(&f, &sending);
	}
}

static void test_reveal(void **)
{
	static const struct {
		const char *text;
		enum bridge_reveal from; /* is told, never below */
	} parts[] = {
		{"return-route-missing; diag=01J2X", BRIDGE_REVEAL_CODE},
		{"\"title\":\"No route leads back.\"", BRIDGE_REVEAL_CODE},
		{"\"candidates\":[\"upstream-silent\"]", BRIDGE_REVEAL_CODE},
		{"\"instance\":\"01J2X\"", BRIDGE_REVEAL_CODE},
		{"\"next\":\"service-port-closed\"", BRIDGE_REVEAL_CODE},
		{"10.0.1.50 answers", BRIDGE_REVEAL_EVIDENCE},
		{"via 10.0.1.1", BRIDGE_REVEAL_EVIDENCE},
		{"; next-hop=\"http://10.0.1.50:3000\"", BRIDGE_REVEAL_EVIDENCE},
		{"\"upstream\":\"http://10.0.1.50:3000\"", BRIDGE_REVEAL_EVIDENCE},
		{"ip route get", BRIDGE_REVEAL_ALL},
		{"\"fix\":{\"text\":\"Run meshgw.\",\"commands\":[\"meshgw fix x\"]}",
			BRIDGE_REVEAL_ALL},
		{"10.9.9.9", BRIDGE_REVEALS}, /* is not asked for */
	};
	autojson sd_json_variant *verdict = json_of(some_verdict);

	for (unsigned reveal = 0; reveal < BRIDGE_REVEALS; reveal++) {
		const struct answer_failure f = {.reason = ANSWER_CONNECT_TIMEOUT,
			.upstream = "http://10.0.1.50:3000",
			.verdict = verdict,
			.reveal = (enum bridge_reveal)reveal};
		const char *text = answered(&f, &sending);
		for (size_t i = 0; i < COUNT(parts); i++)
			if (!strstr(text, parts[i].text) != (reveal < parts[i].from))
				fail_msg("reveal %u: %s in %s", reveal, parts[i].text, text);
		assert_true(reveal > BRIDGE_REVEAL_CODE || !strstr(text, "10."));
	}
}

static void test_diagnosis(void **)
{
	autojson sd_json_variant *verdict = json_of(some_verdict);
	char out[ANSWER_USUAL];

	size_t n = answer_diagnosis(verdict, BRIDGE_REVEAL_CODE, &sending, out, sizeof(out) - 1);
	out[n] = '\0';
	assert_string_equal(strstr(out, "\r\n\r\n") + 4,
		"{\"id\":\"01J2X\",\"code\":\"return-route-missing\","
		"\"title\":\"No route leads back.\",\"confidence\":\"certain\","
		"\"candidates\":[\"upstream-silent\"],\"next\":\"service-port-closed\"}");
	n = answer_diagnosis(verdict, BRIDGE_REVEAL_ALL, &sending, out, sizeof(out) - 1);
	out[n] = '\0';
	assert_non_null(strstr(out, "\"command\":\"ip route get 100.64.12.189\""));
	assert_non_null(strstr(out, "\"summary\":\"10.0.1.50 answers"));
}

/* Whatever is in a verdict: an answer of at most so many bytes, made of printable ASCII. */
static const char *const payloads[] = {
	"\r\nX-Evil: 1\r\n\r\n<html>",
	"\"},{\"code\":\"healthy\"",
	"\x1b[2J\x07",
	"caf\xc3\xa9 \xe2\x80\xae",
	"%s%n",
	"\\\" ; error=x",
};

static void check_printable(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((*p < ' ' && *p != '\r' && *p != '\n') || *p > '~')
			fail_msg("\\x%02x in %s", (unsigned char)*p, text);
}

static void injected(const char *payload)
{
	static const char *const keys[] = {
		"id", "code", "confidence", "title", "summary", "candidates"};
	autojson sd_json_variant *verdict = json_of(some_verdict), *text = nullptr, *list = nullptr,
				 *item = nullptr, *items = nullptr;

	assert_true(sd_json_variant_new_string(&text, payload) >= 0);
	assert_true(sd_json_variant_new_array(&list, &text, 1) >= 0);
	for (size_t i = 0; i < COUNT(keys); i++)
		if (strcmp(keys[i], "code") != 0)
			assert_true(sd_json_variant_set_field(&verdict, keys[i],
					    i == COUNT(keys) - 1 ? list : text) >= 0);
	for (size_t i = 0; i < 3; i++)
		assert_true(sd_json_variant_set_field(&item,
				    (const char *[]){"source", "says", "command"}[i], text) >= 0);
	assert_true(sd_json_variant_new_array(&items, &item, 1) >= 0);
	assert_true(sd_json_variant_set_field(&verdict, "evidence", items) >= 0);
	struct answer_failure f = {
		.reason = ANSWER_CONNECT_TIMEOUT, .verdict = verdict, .reveal = BRIDGE_REVEAL_ALL};
	const char *out = answered(&f, &sending);
	check_printable(out);
	assert_null(strstr(out, "\nX-Evil"));
	assert_null(strstr(out, "{\"code\":\"healthy\""));
	assert_true(sd_json_variant_set_field(&verdict, "code", text) >= 0);
	f.verdict = verdict;
	check_printable(answered(&f, &sending));
}

static void test_injection(void **)
{
	for (size_t i = 0; i < COUNT(payloads); i++)
		injected(payloads[i]);
	/* The name of an upstream has passed rule.h; should it not, it stays within its quotes. */
	const char *out = answered(&(struct answer_failure){.reason = ANSWER_CONNECT_REFUSED,
					   .upstream = "a\"\r\nX-Evil: b",
					   .reveal = BRIDGE_REVEAL_EVIDENCE},
		&sending);
	assert_null(strstr(out, "\nX-Evil"));
}

/* What does not fit is left out, and there is always an answer. */
static void test_sizes(void **)
{
	autojson sd_json_variant *verdict = json_of(some_verdict), *text = nullptr, *item = nullptr,
				 *items = nullptr, *longs = nullptr;
	char out[ANSWER_MIN + 1], long_text[2000];

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_true(sd_json_variant_new_string(&text, long_text) >= 0);
	assert_true(sd_json_variant_set_field(&item, "says", text) >= 0);
	for (int i = 0; i < 100; i++) {
		assert_true(sd_json_variant_append_array(&items, item) >= 0);
		assert_true(sd_json_variant_append_array(&longs, text) >= 0);
	}
	assert_true(sd_json_variant_set_field(&verdict, "evidence", items) >= 0);
	struct answer_failure f = {
		.reason = ANSWER_CONNECT_TIMEOUT, .verdict = verdict, .reveal = BRIDGE_REVEAL_ALL};
	answered(&f, &sending); /* 32 of them, cut, all within ANSWER_USUAL or none */
	out[ANSWER_MIN] = '!';
	size_t n = answer_failure(&f, &sending, out, ANSWER_MIN);
	assert_true(n < ANSWER_MIN && out[ANSWER_MIN] == '!');
	out[n] = '\0';
	assert_non_null(strstr(out, "\"instance\":\"01J2X\""));
	assert_null(strstr(out, "xxx"));
	n = answer_diagnosis(verdict, BRIDGE_REVEAL_ALL, &sending, out, ANSWER_MIN);
	out[n] = '\0';
	assert_non_null(strstr(out, "return-route-missing"));

	assert_true(sd_json_variant_set_field(&verdict, "candidates", longs) >= 0);
	f.verdict = verdict;
	n = answer_failure(&f, &sending, out, ANSWER_MIN);
	out[n] = '\0';
	assert_non_null(strstr(out, "HTTP/1.1 504 "));
	assert_non_null(strstr(out, "upstream-connect-timeout"));
	n = answer_diagnosis(verdict, BRIDGE_REVEAL_ALL, &sending, out, ANSWER_MIN);
	out[n] = '\0';
	assert_non_null(strstr(out, "HTTP/1.1 500 "));
}

static void test_pages(void **)
{
	static const char body[] = "{\"status\":\"ok\"}\n";
	const struct answer_page page = {200, "application/json", body, sizeof(body) - 1};
	char out[256];
	int n = answer_page(&page, &sending, out, sizeof(out) - 1);

	assert_true(n > 0);
	out[n] = '\0';
	assert_string_equal(strstr(out, "\r\n\r\n") + 4, body);
	assert_int_equal(answer_page(&page, &sending, out, (size_t)n - 1), -ENOBUFS);
	n = answer_page(
		&page, &(struct answer_sending){.date = "now", .head = true}, out, sizeof(out) - 1);
	out[n] = '\0';
	assert_string_equal(strstr(out, "\r\n\r\n"), "\r\n\r\n");
	assert_non_null(strstr(out, "Content-Length: 16\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_code_has_its_answer),
		cmocka_unit_test(test_every_reason_has_its_row),
		cmocka_unit_test(test_reasons_are_in_the_page),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_verdict_decides),
		cmocka_unit_test(test_reveal),
		cmocka_unit_test(test_diagnosis),
		cmocka_unit_test(test_injection),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_pages),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
