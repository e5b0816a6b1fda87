/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tls: TLS to an upstream, as its route configures it.
 *
 * The peer is always verified, its chain and its name or address, by OpenSSL itself and under every
 * version of TLS: libh2o's own check covers no name under 1.3 and no address under 1.2, so its TLS
 * is not used, only its event loop. Versions below 1.2 are not spoken.
 *
 * A struct tls belongs to one configured upstream and one loop.
 */
#include "lib/err.h"
#include <stddef.h>
#include <sys/types.h>

struct bridge_tls;
struct ssl_st;
struct tls;

/* What a handshake may fail with, beside -errno of the connection. */
constexpr int TLS_CERTIFICATE = -127; /* -EKEYEXPIRED: not trusted, not valid, another name */
constexpr int TLS_ALERT = -129;       /* -EKEYREJECTED: the peer refused */
constexpr int TLS_PROTOCOL = -71;     /* -EPROTO: it speaks no TLS that we do */

[[nodiscard]] int tls_new(const struct bridge_tls *config, struct tls **out, struct err *err);
void tls_free(struct tls *t);

/* A session on a connected descriptor. */
[[nodiscard, gnu::returns_nonnull]] struct ssl_st *tls_session_new(struct tls *t, int fd);
void tls_session_free(struct ssl_st *ssl);

/* All of these: -EAGAIN, with *want_write if the descriptor must take something first. */
[[nodiscard]] int tls_handshake(struct ssl_st *ssl, bool *want_write);
/* Bytes, 0 = the peer said that it ended, or -errno: -ECONNRESET if it ended without saying so. */
[[nodiscard]] ssize_t tls_read(struct ssl_st *ssl, char *buf, size_t size, bool *want_write);
[[nodiscard]] ssize_t tls_write(struct ssl_st *ssl, const char *buf, size_t len);
/* Are there bytes that no event of the descriptor will announce? */
bool tls_has_pending(const struct ssl_st *ssl);
/* Has the peer neither said anything nor ended? Takes nothing. */
bool tls_is_silent(struct ssl_st *ssl);
void tls_shutdown(struct ssl_st *ssl);
/* Why the last handshake failed, in OpenSSL's words. */
const char *tls_failure_str(const struct ssl_st *ssl);
