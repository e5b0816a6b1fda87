/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * forward_write: what both directions of forward.h have in common. Private to this room.
 */
#include "http/head.h"
#include "route/forward.h"
#include "route/text.h"

/* A head while it is written. */
struct forward_writer {
	struct text text;
	const struct bridge_config *config;
	const struct bridge_edit *edit;
	const struct http_head *head; /* that came in */
};

#define FORWARD_LITERAL(w, s) TEXT_LITERAL(&(w)->text, s)

void forward_put(struct forward_writer *w, const char *name, size_t name_len, const char *value,
	size_t value_len);
/* The route says something else about this field: one of ours is then left out. */
bool forward_is_edited(const struct forward_writer *w, const char *name, size_t len);
/* A field of ours, unless it is edited. */
void forward_put_own(
	struct forward_writer *w, const char *name, const char *value, size_t value_len);
/* The field came in, belongs to no connection, and the route leaves it as it is. */
bool forward_passes(const struct forward_writer *w, size_t i);

/* The parts of a head behind what passes. */
void forward_put_via(struct forward_writer *w);
void forward_put_set(struct forward_writer *w);
void forward_put_framing(struct forward_writer *w, enum forward_framing framing, uint64_t length);
void forward_put_connection(struct forward_writer *w, enum forward_connection connection, bool te);
/* The empty line. The head's length, or -ENOBUFS. */
int forward_finish(struct forward_writer *w);
