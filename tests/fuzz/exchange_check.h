/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * exchange_check: what must hold of a client, a bridge and a service, from what each has sent.
 *
 * Everything is read once more by the strict readers. What clients sent is a list of requests;
 * all that came to the service is one of these each, the same in method, target, host and data, and
 * once, unless it may be tried again; a client's answers are in the order of its requests, and
 * one that says for whom it is (X-Id) is that request's. Requests are told apart by the trace that
 * the bridge gives them, of which check_trace() makes the random part: it counts.
 *
 * What does not hold aborts. A message may be incomplete where the transcript ends.
 */
#include "route/forward.h"
#include <stddef.h>
#include <stdint.h>

constexpr size_t CHECK_REQUESTS = 160; /* as many as can be told apart */

struct transcript {
	char *at;
	size_t len, cap;
};

struct check_service {
	struct transcript got;
};

void transcript_add(struct transcript *t, const void *bytes, size_t n);
void transcript_clear(struct transcript *t);

/* The random bytes of the first CHECK_REQUESTS requests. */
void check_trace(uint8_t *random, size_t size);

/* What an answer to the number-th request on a connection must know. */
struct check_asked {
	char id[33];
	bool head;
};
/* Has it come to the service, its head at least? */
bool check_find(const struct check_service *s, size_t number, struct check_asked *out);

struct check_client {
	struct transcript sent, heard;
	size_t before; /* requests of those before it */
};

struct check_parties {
	const struct bridge_config *config;
	const struct check_client *clients; /* one after the other */
	const struct check_service *services;
	size_t n_clients, n_services;
};
void check_exchange(const struct check_parties *p);
