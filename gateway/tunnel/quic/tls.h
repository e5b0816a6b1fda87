/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tls: who we are, whom we accept, and the keys that are drawn from that.
 *
 * TLS 1.3 with certificates on both sides. A peer is known by the SHA-256 of its public key
 * (SubjectPublicKeyInfo): with pins it has to be one of them, and names, dates and issuers of its
 * certificate count for nothing; with authorities the certificate has to be valid, for its purpose
 * and, of a server, for the name that was dialled. Where there are both, both have to hold.
 *
 * Sessions are resumed by tickets, which only the context that issued them can read: what was
 * resumed was verified under the same rules. There is no early data, in either role: packets in it
 * could be replayed (RFC 9001 s9.2).
 *
 * An object is shared by the handshakes that began with it and lives as long as the last of them;
 * a reload makes another one. It is the only file beside identity.c that knows OpenSSL's contexts.
 */
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "quic/config.h"

constexpr size_t QUIC_SECRET = 32;

struct quic_tls;

/* on_ticket: a client's session may be resumed. It takes the session if it returns 1. */
[[nodiscard]] int quic_tls_new(struct quic_tls **out, const struct quic_identity *identity,
	int (*on_ticket)(SSL *, SSL_SESSION *), struct err *err);
struct quic_tls *quic_tls_ref(struct quic_tls *t);
/* nullptr is allowed. */
void quic_tls_unref(struct quic_tls *t);

/* A session of a handshake to come. server_name, of a client, is what the peer has to be called. */
[[nodiscard]] SSL *quic_tls_session(struct quic_tls *t, bool server, const char *server_name);

/* Whether the peer of a finished handshake may go on under the rules of t: as
 * quic_credentials_judge(). */
int quic_tls_judge(const struct quic_tls *t, SSL *ssl);
/* Why the peer's certificate or key was not accepted, in words; nullptr: it was. */
const char *quic_tls_complaint(const SSL *ssl);
/* SHA-256 of the peer's SubjectPublicKeyInfo. */
[[nodiscard]] bool quic_tls_peer_key(SSL *ssl, uint8_t digest[static QUIC_KEY_DIGEST]);

/* Keys that are the same after a restart: HKDF of the private key. So resets mean something to
 * those who do not know of it yet (RFC 9000 s10.3.2), and their addresses still count as proven
 * (s8.1.3). */
struct quic_secrets {
	uint8_t reset[QUIC_SECRET];
	uint8_t token[QUIC_SECRET];
};

void quic_tls_secrets(const struct quic_tls *t, struct quic_secrets *secrets);
