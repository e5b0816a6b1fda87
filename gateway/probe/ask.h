/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ask: one short conversation with a service, by libcurl, and what it says about the service.
 *
 * One GET, of which at most ASK_BYTES of the answer are read. Nothing is followed, no proxy is
 * used, nothing is sent that the request did not name. Clear text that is not answered by HTTP is
 * followed by a TLS handshake, and the other way round, because most mistakes are that one.
 *
 * It blocks until its deadline, and for a moment more if the other language is tried. What a
 * service says is anybody's text: it is cut, and escaped by who shows it (lib/escape.h).
 */
#include "verdict/evidence.h"

constexpr size_t ASK_BYTES = 2048;

struct ask {
	const char *target; /* an address */
	uint16_t port;
	const char *host; /* nullptr = the address */
	const char *path; /* begins with a slash */
	bool tls;
	const char *source, *interface; /* nullptr = as routes say */
	const char *server_name;        /* that a certificate is for; nullptr = the host */
	const char *ca;                 /* PEM of who may have made it; nullptr = the system's */
	uint64_t timeout_us;
};

/* Adds facts of kind L7. */
void ask_service(const struct ask *ask, struct evidence *out);
