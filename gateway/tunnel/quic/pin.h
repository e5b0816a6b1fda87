/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pin: the name by which an end of a tunnel knows the other: SHA-256 of its public key, as the
 * configuration has it (RFC 7469 s2.4).
 *
 * For operators, who have a certificate or a key in PEM and are to write down its pin. What is
 * judged in a handshake is identity.h's affair.
 */
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "quic/config.h"

/* "sha256/" and the Base64 of 32 bytes. */
constexpr size_t QUIC_PIN_STRLEN = 7 + 44 + 1;

void quic_pin_str(const uint8_t digest[static QUIC_KEY_DIGEST], char pin[static QUIC_PIN_STRLEN]);
/* Of the first certificate or key in n bytes of PEM; else a sentence that says what to do. */
[[nodiscard]] int quic_pin_read(
	const char *pem, size_t n, char pin[static QUIC_PIN_STRLEN], struct err *err);
