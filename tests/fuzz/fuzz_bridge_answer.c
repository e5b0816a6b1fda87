/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_bridge_answer: bytes as a verdict, in answers of every degree of openness; and as what a
 * line of the access log is about. A strict reader must take what comes out.
 */
#include "answer/accesslog.h"
#include "answer/answer.h"
#include "answer/asked_about.h"
#include "answer/metrics.h"
#include "http/head.h"
#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct answer_sending sending = {.date = "Sun, 22 Nov 2026 00:10:33 GMT"};

static void check_json(const char *text, size_t len)
{
	autojson sd_json_variant *json = nullptr;
	autofree char *copy = xcalloc(1, len + 1);

	memcpy(copy, text, len);
	for (size_t i = 0; i < len; i++)
		assert(copy[i] >= ' ' && copy[i] <= '~');
	assert(sd_json_parse(copy, 0, &json, nullptr, nullptr) >= 0);
}

static void check_answer(const char *out, size_t n)
{
	struct http_answer head;
	enum http_fault why;
	ssize_t len = http_answer_read(out, n, 0, HTTP_METHOD_GET, false, &head, &why);

	assert(len > 0 && (int64_t)(n - (size_t)len) == head.head.length);
	check_json(out + len, n - (size_t)len);
}

static void answer_with(sd_json_variant *verdict, size_t size)
{
	static char out[ANSWER_USUAL];

	for (unsigned reveal = 0; reveal < BRIDGE_REVEALS; reveal++) {
		const struct answer_failure f = {.reason = ANSWER_CONNECT_TIMEOUT,
			.upstream = "http://10.0.1.50:3000",
			.verdict = verdict,
			.reveal = (enum bridge_reveal)reveal};
		check_answer(out, answer_failure(&f, &sending, out, size));
		check_answer(out,
			answer_diagnosis(verdict, (enum bridge_reveal)reveal, &sending, out, size));
	}
}

static void report_of(sd_json_variant *status)
{
	struct metrics *m = metrics_new("0", 0);
	size_t len;

	metrics_set_gateway(m, status);
	autofree char *text = metrics_text(m, &len);
	for (size_t i = 0; i < len; i++)
		assert(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
	autofree char *page = metrics_status(m, &len);
	metrics_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char line[ACCESSLOG_LINE];
	autofree char *text = xcalloc(1, size + 1);
	autojson sd_json_variant *json = nullptr;

	if (size)
		memcpy(text, data, size);
	const struct accesslog_text bytes = {text, size};
	const struct accesslog_entry entry = {.method = {text, size < 16 ? size : 16},
		.host = bytes,
		.path = bytes,
		.upstream = text};
	char target[ASKED_ABOUT_MAX];
	if (asked_about(text, size, target) == 0)
		assert(strlen(target) > 2 && target[strcspn(target, " \"\r\n%/")] == '\0');
	check_json(line, accesslog_line(&entry, line, sizeof(line)));
	if (sd_json_parse(text, 0, &json, nullptr, nullptr) < 0)
		return 0;
	answer_with(json, ANSWER_USUAL);
	answer_with(json, ANSWER_MIN);
	report_of(json);
	return 0;
}
