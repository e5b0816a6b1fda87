/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * request: is this header section a CONNECT-IP request, and is that its success?
 *
 * The proxy's half reads what RFC 9484 4.1, 4.4 and 4.6 ask of a request and says how to answer
 * what is none; the client's half reads a response (4.5, RFC 9297 3.2). Header sections come as
 * plain strings, so that any HTTP library will do. Whether the caller is known, and may have what
 * it asks for, are its owner's questions; the words for their answers are here.
 */
#include "connip/scope.h"

/* nullptr = the field is not there. */
struct request_head {
	const char *method, *protocol, *scheme, *authority, *path;
	bool has_content; /* Content-Length, Content-Type or Transfer-Encoding (RFC 9297 3.2) */
};

struct request_rules {
	const char *path; /* of a dialect: this and no other, without a scope; nullptr = none */
	const struct template *template; /* nullptr: any path will do, without a scope */
	const char *protocol;            /* nullptr = "connect-ip" */
};

enum request_verdict {
	REQUEST_ACCEPTED,
	REQUEST_MALFORMED,
	REQUEST_NO_METHOD,        /* not an extended CONNECT */
	REQUEST_UNKNOWN_PROTOCOL, /* RFC 9220 3 */
	REQUEST_NOT_FOUND,        /* the path is none of the template's */
	REQUEST_BAD_SCOPE,        /* a protocol that is not scoped to (RFC 9484 4.8) */
	/* Of the owner, who knows more: */
	REQUEST_FORBIDDEN,      /* not for this caller */
	REQUEST_TARGET_REFUSED, /* not this target */
	REQUEST_DNS_ERROR,      /* the target's name did not resolve (RFC 9484 4.1) */
	REQUEST_DNS_TIMEOUT,
	REQUEST_TOO_MANY,  /* connections of this kind */
	REQUEST_TOO_OFTEN, /* by this caller */
	REQUEST_VERDICTS
};

enum request_verdict request_read(
	const struct request_head *head, const struct request_rules *rules, struct scope *out);
/* The status that says so; a malformed request is a stream error as well (RFC 9114 4.1.2). */
unsigned request_status(enum request_verdict verdict);
/* A Proxy-Status field's value (RFC 9209), for all but REQUEST_ACCEPTED. The name of the proxy is a
 * token; of detail quotes and controls are left out, nullptr = what is known of the verdict. */
constexpr size_t REQUEST_PROXY_STATUS_MAX = 256;
const char *request_proxy_status(enum request_verdict verdict, const char *name, const char *detail,
	char out[static REQUEST_PROXY_STATUS_MAX]);

/* Does a response mean success? False is a failed request, which the client aborts; *malformed:
 * with a stream error. */
bool request_response_ok(unsigned status, bool has_content, bool *malformed);

/* RFC 9297 3.4: is the field Capsule-Protocol a true Boolean Item? All else counts as not there;
 * fields that came more than once are given joined by commas. */
bool request_capsule_protocol(const char *value);
