/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * handshake: how long the messages of TLS say that they are.
 *
 * OpenSSL makes room for a message as soon as its first four bytes are there (RFC 8446 s4), up to
 * 128 KiB for a ClientHello and 100 KiB for certificates: four bytes of a stranger cost as much.
 * So they are read here before OpenSSL sees them. A stranger's hello is two kilobytes with the
 * largest group, and a chain of certificates a few more.
 *
 * Pure; the bytes come in order and in any pieces.
 */
#include <stddef.h>
#include <stdint.h>

constexpr size_t QUIC_HANDSHAKE_MESSAGE_MAX = 32UL << 10;

struct quic_handshake {
	uint8_t head[4]; /* type and length of the message that comes */
	size_t n;        /* bytes of it that are there */
	size_t left;     /* … of the message behind it that are not */
};

/* False: a message is longer than it may be. */
[[nodiscard]] bool quic_handshake_fits(struct quic_handshake *h, const uint8_t *bytes, size_t n);
