/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * quic_identity: keys and certificates made for one run of a test.
 */
#include <stdint.h>

#include "quic/config.h"

/* A certificate, as text and as a pin. */
struct test_identity {
	char *certificate;
	char *key;
	uint8_t pin[1][QUIC_KEY_DIGEST];
};

/* Self-signed. type is ED25519, P-256 or, too weak for TLS 1.3, P-192; name is the subject's, and
 * the only one it is valid for.
 */
void test_identity_make(struct test_identity *id, const char *type, const char *name);
/* Signed by another one; nullptr: by itself. An expired one was valid in January 2026. */
enum test_issue { TEST_ISSUE_LEAF, TEST_ISSUE_CA, TEST_ISSUE_EXPIRED_CA };
void test_identity_issue(struct test_identity *id, const char *name, enum test_issue what,
	const struct test_identity *by);
void test_identity_clear(struct test_identity *id);
