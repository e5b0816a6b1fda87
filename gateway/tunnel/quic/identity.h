/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * identity: certificates, keys and pins, as text and as objects of OpenSSL.
 *
 * What is read here comes from the configuration, so a failure is a sentence for its author. What a
 * peer shows is judged by quic_credentials_judge(), which is the same for a handshake, for the
 * check behind it and for a reload.
 */
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "quic/config.h"

/* What was read. Owned by its reader; clear accepts {}. */
struct quic_credentials {
	X509 *leaf;
	STACK_OF(X509) * chain; /* without the leaf */
	EVP_PKEY *key;
	uint8_t (*pins)[QUIC_KEY_DIGEST];
	size_t n_pins;
	X509_STORE *authorities; /* nullptr = pins only */
};

[[nodiscard]] int quic_credentials_read(
	struct quic_credentials *c, const struct quic_identity *identity, struct err *err);
void quic_credentials_clear(struct quic_credentials *c);

/* SHA-256 of the certificate's SubjectPublicKeyInfo. */
[[nodiscard]] bool quic_key_digest(const X509 *x, uint8_t digest[static QUIC_KEY_DIGEST]);

/* What a peer shows, and what it is asked for. chain may be nullptr; name too, then no name is
 * asked for. */
struct quic_shown {
	X509 *leaf;
	STACK_OF(X509) * chain;
	bool to_server;
	const char *name;
};

/* X509_V_OK; QUIC_NOT_PINNED: its key is none of the pins; else what is wrong with the certificate,
 * as X509_STORE_CTX_get_error(3) has it. Why, in words, is put into a buffer of so many bytes,
 * which may be 0. */
constexpr int QUIC_NOT_PINNED = X509_V_ERR_CERT_REJECTED;
int quic_credentials_judge(
	const struct quic_credentials *c, const struct quic_shown *shown, char *why, size_t size);
