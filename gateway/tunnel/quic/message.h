/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * message: the fields of one request or response.
 *
 * Collected field by field into one piece of memory of fixed size, and judged at the end. For what
 * the other side sends the size is the limit that we announce (SETTINGS_MAX_FIELD_SECTION_SIZE);
 * a message beyond it is refused. nghttp3 has checked the characters and the pseudo-fields before.
 */
#include <stddef.h>
#include <stdint.h>

#include "quic/events.h"

constexpr size_t QUIC_MESSAGE_BYTES = 8192;
constexpr size_t QUIC_MESSAGE_FIELDS = 64;

struct quic_message {
	struct quic_request request;
	struct quic_response response;
	bool framed; /* Content-Length or Content-Type is there */
	bool overflow;
	size_t used;
	size_t n_fields;
	struct quic_field fields[QUIC_MESSAGE_FIELDS];
	char text[QUIC_MESSAGE_BYTES];
};

struct quic_message *quic_message_new(void);
void quic_message_add(struct quic_message *m, const uint8_t *name, size_t name_length,
	const uint8_t *value, size_t value_length);
/* A copy of what is to be asked. nullptr: too large, or a part is missing. */
struct quic_message *quic_message_copy(const struct quic_request *request);

/* What becomes of a request before its owner sees it: 0, or the status to refuse it with. */
unsigned int quic_message_verdict(const struct quic_message *m, const char *protocol);
/* RFC 9297 s3.2: what may not stand beside the Capsule Protocol. */
bool quic_message_malformed(const struct quic_message *m, bool response);
