/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * answer: responses that the bridge makes itself, whole, into the caller's buffer.
 *
 * A failure is a problem document (RFC 9457: type, title, status, detail, instance; and code,
 * requestId, confidence, candidates, next, evidence, fix) with Proxy-Status (RFC 9209) where the
 * way to an upstream is meant. With a verdict of meshgwd its code decides status and error
 * (answer/cause.h), otherwise what the bridge saw (answer/reason.h).
 *
 * What is told depends on `reveal` alone. code: the code, what it means, and the number of the
 * diagnosis. evidence: and the summary, the evidence, the upstream. all: and the commands that show
 * it, and the fix. A verdict comes from another process, and what it quotes from elsewhere: every
 * text of it is escaped for where it is written.
 *
 * What does not fit is left out from the end: commands, evidence, at last everything but the code.
 * With a buffer of ANSWER_MIN there is always an answer.
 */
#include "answer/reason.h"
#include "route/config.h"

constexpr size_t ANSWER_MIN = 4096;
constexpr size_t ANSWER_USUAL = 32768; /* enough for every verdict that meshgwd makes */

/* How any of them is sent. */
struct answer_sending {
	const char *date; /* IMF-fixdate */
	bool close;       /* Connection: close */
	bool keep_alive;  /* said to a client of HTTP/1.0 */
	bool head;        /* asked by HEAD: no body */
};

struct answer_failure {
	enum answer_reason reason;
	const char *node;  /* of the configuration; nullptr, "" = none */
	const char *fault; /* its name, more exactly: "obs-fold"; nullptr = none. Ours, no secret */
	const char *request_id;   /* forward_trace.id; nullptr = none */
	const char *upstream;     /* bridge_upstream.name; nullptr = none */
	sd_json_variant *verdict; /* as DiagnoseTarget gives it; nullptr = none */
	enum bridge_reveal reveal;
	unsigned retry_after_s; /* 0 = not said */
};

/* Status and code that the answer has, for the log and the metrics. The code lives as long as the
 * verdict. */
unsigned answer_failure_status(const struct answer_failure *f);
const char *answer_failure_code(const struct answer_failure *f);

/* The whole response; size is at least ANSWER_MIN. Returns its length. */
size_t answer_failure(const struct answer_failure *f, const struct answer_sending *sending,
	char *out, size_t size);

/* GET /.well-known/meshgw/diagnose: the verdict itself, redacted in the same way. */
size_t answer_diagnosis(sd_json_variant *verdict, enum bridge_reveal reveal,
	const struct answer_sending *sending, char *out, size_t size);

/* A page of ours: head and body. nullptr as body: only the head, for a body of len. */
struct answer_page {
	unsigned status;
	const char *type; /* Content-Type */
	const char *body;
	size_t len;
};
/* Returns its length; -ENOBUFS when it does not fit. */
[[nodiscard]] int answer_page(const struct answer_page *page, const struct answer_sending *sending,
	char *out, size_t size);

/* The interim response to Expect. */
extern const char answer_continue[];
