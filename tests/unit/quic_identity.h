/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * quic_identity: keys and certificates made for one run of a test.
 */
#include <stdint.h>

#include "quic/config.h"

/* A self-signed certificate, as text and as a pin. */
struct test_identity {
	char *certificate;
	char *key;
	uint8_t pin[1][QUIC_KEY_DIGEST];
};

/* type is ED25519 or P-256; name is the subject's, and the only one it is valid for. */
void test_identity_make(struct test_identity *id, const char *type, const char *name);
void test_identity_clear(struct test_identity *id);
