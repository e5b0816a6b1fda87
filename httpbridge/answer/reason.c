/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/reason.h"
#include <assert.h>
#include <errno.h>
#include <stddef.h>

#define DENIED "http_request_denied"
#define REQUEST "http_request_error"
#define LIMIT "connection_limit_reached"
#define OWN "proxy_internal_response"

static const struct answer_row rows[ANSWERS] = {
	[ANSWER_BAD_REQUEST] = {400, "bad-request", REQUEST,
		"The request is malformed or has more than one reading.", false},
	[ANSWER_BAD_TARGET] = {400, "bad-target", REQUEST,
		"The target of the request is not of a form that is served here.", false},
	[ANSWER_TOKEN_MISSING] = {401, "token-missing", DENIED,
		"This route asks for a bearer token.", false},
	[ANSWER_TOKEN_WRONG] = {401, "token-wrong", DENIED,
		"The bearer token is not one that this route takes.", false},
	[ANSWER_WRONG_SOURCE] = {403, "source-not-allowed", DENIED,
		"This route is not open to the caller's address.", false},
	[ANSWER_NO_ROUTE] = {404, "no-route", "destination_not_found",
		"No route of this gateway has this host and path.", false},
	[ANSWER_NOT_FOUND] = {404, "not-found", OWN, "There is no such page.", false},
	[ANSWER_TARGET_UNKNOWN] = {404, "target-not-known", OWN,
		"This target is not one whose diagnosis may be asked for here.", false},
	[ANSWER_NO_DIAGNOSIS] = {503, "no-diagnosis", OWN, "No diagnosis could be had in time.",
		false},
	[ANSWER_WRONG_METHOD] = {405, "wrong-method", OWN, "This page answers GET and HEAD only.",
		false},
	[ANSWER_HEAD_SLOW] = {408, "head-too-slow", REQUEST,
		"The head of the request did not arrive in time.", false},
	[ANSWER_BODY_SLOW] = {408, "body-too-slow", REQUEST,
		"The body of the request did not arrive in time.", false},
	[ANSWER_BODY_TOO_LARGE] = {413, "body-too-large", REQUEST,
		"The body of the request is larger than this route takes.", false},
	[ANSWER_EXPECTATION] = {417, "expectation-unknown", REQUEST,
		"Only 100-continue can be expected of this gateway.", false},
	[ANSWER_HEAD_TOO_LARGE] = {431, "head-too-large", REQUEST,
		"The head of the request is larger than this gateway takes.", false},
	[ANSWER_TOO_MANY_QUESTIONS] = {429, "too-many-questions", DENIED,
		"This caller has asked for too many diagnoses; ask again later.", false},
	[ANSWER_METHOD_UNKNOWN] = {501, "method-not-served", REQUEST,
		"This gateway does not serve the method.", false},
	[ANSWER_VERSION] = {505, "version-not-served", REQUEST,
		"This gateway speaks HTTP/1.0 and HTTP/1.1 only.", false},
	[ANSWER_LOOP] = {502, "proxy-loop", "proxy_loop_detected",
		"The request has been here before: a route leads back to this gateway.", false},
	[ANSWER_CONNECTIONS] = {503, "connections-exhausted", LIMIT,
		"This gateway has as many connections as it may have.", false},
	[ANSWER_SOURCE_CONNECTIONS] = {503, "source-connections-exhausted", LIMIT,
		"The caller's address has as many connections as it may have.", false},
	[ANSWER_UPSTREAM_CONNECTIONS] = {503, "upstream-connections-exhausted", LIMIT,
		"The service has as many connections from this gateway as it may have.", false},
	[ANSWER_DRAINING] = {503, "draining", "destination_unavailable",
		"This gateway is being stopped.", false},
	[ANSWER_INTERNAL] = {500, "internal-error", "proxy_internal_error",
		"Something went wrong within the gateway.", false},
	[ANSWER_UPSTREAM_DOWN] = {503, "upstream-down", "destination_unavailable",
		"The health checks of the service fail.", true},
	[ANSWER_NAME_UNRESOLVED] = {502, "upstream-name-unresolved", "dns_error",
		"No address that may be used is known for the service's name.", true},
	[ANSWER_CONNECT_REFUSED] = {502, "upstream-refused", "connection_refused",
		"The connection to the service was refused.", true},
	[ANSWER_CONNECT_TIMEOUT] = {504, "upstream-connect-timeout", "connection_timeout",
		"The connection to the service was not established in time.", true},
	[ANSWER_CONNECT_UNROUTABLE] = {502, "upstream-unreachable", "destination_ip_unroutable",
		"The service cannot be reached from this gateway.", true},
	[ANSWER_CONNECT_PROHIBITED] = {502, "upstream-prohibited", "destination_ip_prohibited",
		"This gateway may not connect to the service.", true},
	[ANSWER_CONNECT_FAILED] = {502, "upstream-connect-failed", "destination_unavailable",
		"The connection to the service failed.", true},
	[ANSWER_TLS_PROTOCOL] = {502, "upstream-tls-failed", "tls_protocol_error",
		"The service and this gateway found no TLS that both speak.", true},
	[ANSWER_TLS_CERTIFICATE] = {502, "upstream-certificate", "tls_certificate_error",
		"The service's certificate is not accepted.", true},
	[ANSWER_TLS_ALERT] = {502, "upstream-tls-alert", "tls_alert_received",
		"The service refused the TLS connection.", true},
	[ANSWER_CLOSED_EARLY] = {502, "upstream-closed", "connection_terminated",
		"The service closed the connection before it answered.", true},
	[ANSWER_FIRST_BYTE_TIMEOUT] = {504, "upstream-response-timeout", "http_response_timeout",
		"The service took the request and did not begin to answer in time.", true},
	[ANSWER_READ_TIMEOUT] = {504, "upstream-read-timeout", "connection_read_timeout",
		"The service stopped sending.", true},
	[ANSWER_WRITE_TIMEOUT] = {504, "upstream-write-timeout", "connection_write_timeout",
		"The service stopped reading the request.", true},
	[ANSWER_TOTAL_TIMEOUT] = {504, "upstream-total-timeout", "http_response_timeout",
		"The exchange took longer than this route allows.", false},
	[ANSWER_RESPONSE_MALFORMED] = {502, "upstream-response-malformed", "http_protocol_error",
		"The service's answer is malformed or has more than one reading.", true},
	[ANSWER_RESPONSE_HEAD_TOO_LARGE] = {502, "upstream-response-head-too-large",
		"http_response_header_section_size",
		"The head of the service's answer is larger than this gateway takes.", false},
	[ANSWER_RESPONSE_INCOMPLETE] = {502, "upstream-response-incomplete",
		"http_response_incomplete", "The service's answer ended too early.", true},
	[ANSWER_UPGRADE_FAILED] = {502, "upstream-upgrade-failed", "http_upgrade_failed",
		"The service did not take the upgrade in a way that can be passed on.", false},
};

const struct answer_row *answer_row(enum answer_reason reason)
{
	assert(reason < ANSWERS);
	return &rows[reason];
}

enum answer_reason answer_reason_of_connect(int err)
{
	static const struct {
		int err;
		enum answer_reason reason;
	} known[] = {
		{ECONNREFUSED, ANSWER_CONNECT_REFUSED},
		{ENOENT, ANSWER_CONNECT_REFUSED}, /* of a socket in the file system */
		{ECONNRESET, ANSWER_CLOSED_EARLY}, {ETIMEDOUT, ANSWER_CONNECT_TIMEOUT},
		{EAGAIN, ANSWER_CONNECT_TIMEOUT}, /* of such a socket: its queue is full */
		{EHOSTUNREACH, ANSWER_CONNECT_UNROUTABLE}, {ENETUNREACH, ANSWER_CONNECT_UNROUTABLE},
		{ENETDOWN, ANSWER_CONNECT_UNROUTABLE}, {EHOSTDOWN, ANSWER_CONNECT_UNROUTABLE},
		{EPERM, ANSWER_CONNECT_PROHIBITED}, /* of nftables' drop on the way out */
		{EACCES, ANSWER_CONNECT_PROHIBITED}, {EMFILE, ANSWER_CONNECTIONS},
		{ENFILE, ANSWER_CONNECTIONS},
		{EADDRNOTAVAIL, ANSWER_UPSTREAM_CONNECTIONS}, /* no port is left */
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].err == err)
			return known[i].reason;
	return ANSWER_CONNECT_FAILED;
}

const char *answer_status_phrase(unsigned status)
{
	static const struct {
		unsigned status;
		const char *phrase;
	} known[] = {
		{200, "OK"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{408, "Request Timeout"},
		{413, "Content Too Large"},
		{417, "Expectation Failed"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].status == status)
			return known[i].phrase;
	return "";
}
