/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * accesslog: one request, one line of JSON.
 *
 * Written by hand into the caller's buffer, not by sd-json: it happens for each request, and an
 * object of this size costs sd-json some forty allocations. All that came from outside is escaped.
 * Texts longer than ACCESSLOG_TEXT bytes are cut, and end in "...". Header fields, queries of a
 * target (they hold secrets) and bodies are never logged.
 *
 * Times are microseconds; a phase that was not reached is ACCESSLOG_NEVER and left out.
 */
#include "lib/ip.h"
#include <stddef.h>
#include <stdint.h>

constexpr size_t ACCESSLOG_TEXT = 512;
constexpr size_t ACCESSLOG_LINE = 32768; /* no line is longer, whatever its texts are */
constexpr uint64_t ACCESSLOG_NEVER = UINT64_MAX;

struct accesslog_text {
	const char *at;
	size_t len;
};

struct accesslog_entry {
	uint64_t realtime_us; /* when the first byte of the request came */
	const char *request_id;
	struct addr peer;
	uint16_t peer_port;
	unsigned minor;
	struct accesslog_text method, host, path; /* as received, as far as they were read */
	const char *route;                        /* "service.internal/api"; nullptr = none */
	const char *upstream;                     /* bridge_upstream.name; nullptr = none */
	unsigned status;                          /* 0 = nothing was answered */
	const char *code;                         /* of a failure; nullptr = none */
	const char *fault;                        /* nullptr = none */
	const char *diagnosis;                    /* its id; nullptr = none */
	uint64_t bytes_in, bytes_out;             /* bodies */
	bool reused;                              /* a pooled connection to the upstream */
	bool aborted;                             /* the caller left before the end */
	unsigned retries;
	/* How long: to read the head, to connect with TLS (0 when reused), until the first byte of
	 * the upstream's answer, all. */
	uint64_t head_us, connect_us, first_byte_us, total_us;
};

/* Without a newline at its end; size is at least ACCESSLOG_LINE. Returns its length. */
size_t accesslog_line(const struct accesslog_entry *e, char *out, size_t size);
