/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * remember: what a client keeps of a server for the next time: a TLS session (RFC 8446 s2.2) and a
 * token that proves its address (RFC 9000 s8.1.3).
 *
 * A few servers, told apart by address and name; the one used longest ago makes room. Each session
 * and each token is given out once, so that nobody can tell two connections to be the same
 * client's. A reload of the identity forgets the sessions: they were verified under other rules.
 */
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#include "quic/address.h"

constexpr size_t QUIC_REMEMBERED = 8;
constexpr size_t QUIC_NAME_MAX = 256;
constexpr size_t QUIC_TOKEN_MAX = 512;

struct quic_remembered {
	union quic_address remote;
	char name[QUIC_NAME_MAX];
	uint64_t used_ns; /* 0 = free */
	SSL_SESSION *session;
	size_t token_length;
	uint8_t token[QUIC_TOKEN_MAX];
};

struct quic_memory {
	struct quic_remembered servers[QUIC_REMEMBERED];
};

/* What is known of a server, or a place for it; nullptr: the name is too long. */
struct quic_remembered *quic_memory_of(
	struct quic_memory *m, const union quic_address *remote, const char *name, uint64_t now_ns);
void quic_memory_put_session(struct quic_remembered *r, SSL_SESSION *take_session);
/* Too long ones are not kept. */
void quic_memory_put_token(struct quic_remembered *r, const uint8_t *token, size_t n);
void quic_memory_forget_sessions(struct quic_memory *m);
