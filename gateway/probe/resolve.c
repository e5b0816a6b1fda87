/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/resolve.h"
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static size_t take_addresses(const struct addrinfo *list, struct addr out[static RESOLVE_MAX])
{
	size_t n = 0;

	for (const struct addrinfo *i = list; i && n < RESOLVE_MAX; i = i->ai_next) {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct addr a = {.family = (uint8_t)i->ai_family};
		if (i->ai_family == AF_INET) {
			memcpy(&in, i->ai_addr, sizeof(in));
			memcpy(a.b, &in.sin_addr, sizeof(in.sin_addr));
		} else if (i->ai_family == AF_INET6) {
			memcpy(&in6, i->ai_addr, sizeof(in6));
			memcpy(a.b, &in6.sin6_addr, sizeof(in6.sin6_addr));
		} else {
			continue;
		}
		out[n++] = a;
	}
	return n;
}

static void add_failure(struct evidence *facts, const char *why)
{
	struct fact_l7 *f = &evidence_add(facts, FACT_L7)->l7;
	f->ask = L7_DNS;
	f->outcome = L7_NAME;
	snprintf(f->text, sizeof(f->text), "%.*s", (int)sizeof(f->text) - 1, why);
}

size_t resolve_name(const char *name, uint64_t timeout_us, struct addr out[static RESOLVE_MAX],
	struct evidence *facts)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct gaicb request = {.ar_name = name, .ar_request = &hints};
	struct gaicb *list[] = {&request};
	struct timespec timeout = {.tv_sec = (time_t)(timeout_us / 1'000'000),
		.tv_nsec = (long)(timeout_us % 1'000'000) * 1000};

	int r = getaddrinfo_a(GAI_NOWAIT, list, 1, nullptr);
	if (r == 0) {
		(void)gai_suspend((const struct gaicb *const *)list, 1, &timeout);
		r = gai_error(&request);
	}
	if (r != 0) {
		add_failure(facts, r == EAI_INPROGRESS ? "no answer in time" : gai_strerror(r));
		return 0;
	}
	size_t n = take_addresses(request.ar_result, out);
	freeaddrinfo(request.ar_result);
	if (!n)
		add_failure(facts, "the name has no address");
	return n;
}
