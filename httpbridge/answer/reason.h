/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reason: why the bridge answers itself, as far as it saw it itself.
 *
 * A table: status, stable code, error type of RFC 9209 where the way to an upstream is meant, one
 * sentence. Its codes share the name space of verdict/code.h without using a name of it: a verdict
 * names a cause, these name what was seen. Where `ask` is set, meshgwd may know the cause.
 */

enum answer_reason {
	/* The request is refused. */
	ANSWER_BAD_REQUEST, /* not read: http_fault says why; close */
	ANSWER_BAD_TARGET,  /* no form of target that is served, or two readings of a path */
	ANSWER_TOKEN_MISSING,
	ANSWER_TOKEN_WRONG,
	ANSWER_WRONG_SOURCE,
	ANSWER_NO_ROUTE,
	ANSWER_NOT_FOUND,      /* nothing at this path below /.well-known/meshgw or of admin */
	ANSWER_TARGET_UNKNOWN, /* of a diagnosis: not allowed and not known are one answer */
	ANSWER_NO_DIAGNOSIS,   /* of a target that may be asked about */
	ANSWER_WRONG_METHOD,   /* of our own pages: GET and HEAD */
	ANSWER_HEAD_SLOW,
	ANSWER_BODY_SLOW,
	ANSWER_BODY_TOO_LARGE,
	ANSWER_EXPECTATION, /* other than 100-continue */
	ANSWER_HEAD_TOO_LARGE,
	ANSWER_TOO_MANY_QUESTIONS, /* more diagnoses than a source may ask for */
	ANSWER_METHOD_UNKNOWN,     /* CONNECT, TRACE */
	ANSWER_VERSION,            /* no HTTP/1.0 or 1.1 */
	ANSWER_LOOP,
	/* A limit of ours. */
	ANSWER_CONNECTIONS,
	ANSWER_SOURCE_CONNECTIONS,
	ANSWER_UPSTREAM_CONNECTIONS,
	ANSWER_DRAINING,
	ANSWER_INTERNAL,
	/* The upstream. */
	ANSWER_UPSTREAM_DOWN, /* by its health checks */
	ANSWER_NAME_UNRESOLVED,
	ANSWER_CONNECT_REFUSED,
	ANSWER_CONNECT_TIMEOUT,
	ANSWER_CONNECT_UNROUTABLE,
	ANSWER_CONNECT_PROHIBITED,
	ANSWER_CONNECT_FAILED, /* for any other reason */
	ANSWER_TLS_PROTOCOL,
	ANSWER_TLS_CERTIFICATE,
	ANSWER_TLS_ALERT,
	ANSWER_CLOSED_EARLY,
	ANSWER_FIRST_BYTE_TIMEOUT,
	ANSWER_READ_TIMEOUT,
	ANSWER_WRITE_TIMEOUT,
	ANSWER_TOTAL_TIMEOUT,
	ANSWER_RESPONSE_MALFORMED,
	ANSWER_RESPONSE_HEAD_TOO_LARGE,
	ANSWER_RESPONSE_INCOMPLETE,
	ANSWER_UPGRADE_FAILED,
	ANSWERS,
};

struct answer_row {
	unsigned status;
	const char *code;
	const char *error; /* of Proxy-Status; nullptr = the field is not sent */
	const char *title; /* one sentence with a full stop */
	bool ask;          /* of meshgwd */
};
const struct answer_row *answer_row(enum answer_reason reason);

/* What a failed connect(2) means; err is positive. */
enum answer_reason answer_reason_of_connect(int err);

/* "Bad Gateway"; "" of a status that is in no table. */
const char *answer_status_phrase(unsigned status);
