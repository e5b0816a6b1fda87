/* SPDX-License-Identifier: Apache-2.0 */
#include "probe/resolve.h"
#include "lib/xmalloc.h"
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
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

static void add_failure(struct evidence *facts, enum fact_l7_outcome outcome, const char *why)
{
	struct fact_l7 *f = &evidence_add(facts, FACT_L7)->l7;
	f->ask = L7_DNS;
	f->outcome = outcome;
	snprintf(f->text, sizeof(f->text), "%.*s", (int)sizeof(f->text) - 1, why);
}

/* What getaddrinfo(3) says of the name; anything else is about who was asked. */
static enum fact_l7_outcome outcome_of(int error)
{
	return error == EAI_NONAME || error == EAI_NODATA || error == EAI_ADDRFAMILY ? L7_NAME
										     : L7_RESOLVER;
}

static void add_answer(struct evidence *facts, const struct addr *list, size_t n)
{
	struct fact_l7 *f = &evidence_add(facts, FACT_L7)->l7;
	char text[ADDR_STRLEN];
	size_t at = 0;

	f->ask = L7_DNS;
	f->outcome = L7_OK;
	for (size_t i = 0; i < n && at < sizeof(f->text); i++)
		at += (size_t)snprintf(f->text + at, sizeof(f->text) - at, "%s%s", i ? ", " : "",
			addr_str(&list[i], text));
}

/* What the resolver's thread works on. It may go on after the time is over, when nobody can stop it
 * any more (gai_cancel(3)); then it is left to it, and to the end of this process. */
struct lookup {
	struct gaicb request;
	struct addrinfo hints;
	char name[NI_MAXHOST];
};

static struct lookup *lookup_new(const char *name)
{
	struct lookup *l = xcalloc(1, sizeof(*l));

	snprintf(l->name, sizeof(l->name), "%s", name);
	l->hints = (struct addrinfo){.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	l->request = (struct gaicb){.ar_name = l->name, .ar_request = &l->hints};
	return l;
}

static void lookup_free(struct lookup *l)
{
	int r = gai_error(&l->request);

	if (r == EAI_INPROGRESS && gai_cancel(&l->request) == EAI_NOTCANCELED)
		return;
	if (r == 0)
		freeaddrinfo(l->request.ar_result);
	free(l);
}

size_t resolve_name(const char *name, uint64_t timeout_us, struct addr out[static RESOLVE_MAX],
	struct evidence *facts)
{
	struct lookup *l = lookup_new(name);
	struct gaicb *list[] = {&l->request};
	struct timespec timeout = {.tv_sec = (time_t)(timeout_us / 1'000'000),
		.tv_nsec = (long)(timeout_us % 1'000'000) * 1000};
	size_t n = 0;

	int r = getaddrinfo_a(GAI_NOWAIT, list, 1, nullptr);
	if (r == 0) {
		(void)gai_suspend((const struct gaicb *const *)list, 1, &timeout);
		r = gai_error(&l->request);
	}
	if (r == 0)
		n = take_addresses(l->request.ar_result, out);
	if (r != 0)
		add_failure(facts, outcome_of(r),
			r == EAI_INPROGRESS ? "no answer in time" : gai_strerror(r));
	else if (n == 0)
		add_failure(facts, L7_NAME, "the name has no address");
	else
		add_answer(facts, out, n);
	lookup_free(l);
	return n;
}
