/* SPDX-License-Identifier: Apache-2.0 */
#include "quic/remember.h"

#include <string.h>

static bool is(const struct quic_remembered *r, const union quic_address *remote, const char *name)
{
	return r->used_ns && quic_address_equal(&r->remote, remote) && strcmp(r->name, name) == 0;
}

struct quic_remembered *quic_memory_of(
	struct quic_memory *m, const union quic_address *remote, const char *name, uint64_t now_ns)
{
	struct quic_remembered *place = &m->servers[0];

	if (strlen(name) >= sizeof(place->name))
		return nullptr;
	for (size_t i = 0; i < QUIC_REMEMBERED; i++) {
		struct quic_remembered *r = &m->servers[i];

		if (is(r, remote, name)) {
			r->used_ns = now_ns;
			return r;
		}
		if (r->used_ns < place->used_ns)
			place = r;
	}
	SSL_SESSION_free(place->session);
	*place = (struct quic_remembered){.remote = *remote, .used_ns = now_ns};
	memcpy(place->name, name, strlen(name));
	return place;
}

void quic_memory_put_session(struct quic_remembered *r, SSL_SESSION *take_session)
{
	SSL_SESSION_free(r->session);
	r->session = take_session;
}

void quic_memory_put_token(struct quic_remembered *r, const uint8_t *token, size_t n)
{
	if (n > sizeof(r->token))
		return;
	memcpy(r->token, token, n);
	r->token_length = n;
}

void quic_memory_forget_sessions(struct quic_memory *m)
{
	for (size_t i = 0; i < QUIC_REMEMBERED; i++)
		quic_memory_put_session(&m->servers[i], nullptr);
}
