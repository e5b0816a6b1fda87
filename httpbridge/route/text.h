/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * text: writes into a buffer of fixed size, and remembers when it was too small.
 *
 * Nothing is ever written in part: what does not fit is left out, and so is all that follows. The
 * caller looks once, at the end. No NUL is put behind the text.
 */
#include "lib/ip.h"
#include <string.h>

struct text {
	char *at;
	size_t size, len;
	bool full; /* something did not fit */
};

static inline void text_add(struct text *t, const void *bytes, size_t n)
{
	if (t->full || n > t->size - t->len) {
		t->full = true;
		return;
	}
	memcpy(t->at + t->len, bytes, n);
	t->len += n;
}

/* Of a literal; its size is known where it is compiled. */
#define TEXT_LITERAL(t, s) text_add((t), (s), sizeof(s) - 1)

static inline void text_str(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void text_u64(struct text *t, uint64_t n);
/* As addr_str(), and much faster for IPv4: it is written for each request. */
void text_addr(struct text *t, const struct addr *a);

/* With quotes around it, for JSON (RFC 8259), in printable ASCII: no control character in any
 * encoding, nor what changes the direction of writing, reaches a terminal. What is no UTF-8, and
 * NUL, become U+FFFD. */
void text_json(struct text *t, const char *s, size_t len);

/* With quotes around it, for a structured field (RFC 8941, 3.3.3) or a quoted-string of HTTP:
 * printable ASCII; other bytes become question marks, so that nothing can end a line. */
void text_quoted(struct text *t, const char *s, size_t len);
