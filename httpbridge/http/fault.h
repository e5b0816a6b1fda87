/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fault: why a message was refused.
 *
 * A message has one accepted reading or none. A request that is refused is answered with the
 * fault's status and its connection is closed, because nobody knows where the next one would
 * begin; an upstream's answer that is refused becomes 502 and its connection is closed too.
 */

enum http_fault {
	HTTP_FAULT_NONE,
	HTTP_FAULT_SYNTAX, /* not HTTP/1, or controls, bare CR, fields that are none */
	HTTP_FAULT_BARE_LF,
	HTTP_FAULT_FOLDED, /* a field value over two lines: obs-fold, RFC 9112 5.2 */
	HTTP_FAULT_VERSION,
	HTTP_FAULT_METHOD,
	HTTP_FAULT_STATUS,
	HTTP_FAULT_HEAD_SIZE,
	HTTP_FAULT_FIELDS, /* too many, or Connection names too many */
	HTTP_FAULT_HOST_MISSING,
	HTTP_FAULT_HOST_TWICE,
	HTTP_FAULT_HOST_INVALID,
	HTTP_FAULT_HOST_DISAGREES, /* with the authority of an absolute target */
	HTTP_FAULT_LENGTH,         /* Content-Length is no number, or there are several */
	HTTP_FAULT_LENGTH_AND_CODING,
	HTTP_FAULT_CODING, /* Transfer-Encoding is not a single, final chunked */
	HTTP_FAULT_EXPECT,
	HTTP_FAULT_MAX_FORWARDS, /* no number, or there are several, of OPTIONS */
	HTTP_FAULT_UPGRADE,
	HTTP_FAULT_BODY, /* where there must be none */
	HTTP_FAULT_TARGET,
	HTTP_FAULT_TARGET_FORM,
	HTTP_FAULT_TARGET_SEGMENT, /* "." or "..", however it is spelt */
	HTTP_FAULT_TARGET_ENCODING,
	HTTP_FAULT_CHUNK_SIZE,
	HTTP_FAULT_CHUNK_EXTENSION,
	HTTP_FAULT_CHUNK_END,
	HTTP_FAULT_TRAILER,
	HTTP_FAULT_TRAILER_SIZE,
	HTTP_FAULT_MAX
};

/* A stable word for logs, as "length-and-coding". */
const char *http_fault_str(enum http_fault fault);
/* One sentence for the one who sent it. */
const char *http_fault_text(enum http_fault fault);
/* What a request with it is answered. */
int http_fault_status(enum http_fault fault);
