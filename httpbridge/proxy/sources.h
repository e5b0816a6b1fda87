/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sources: how many connections each source has, and all of them together.
 *
 * One for all threads; a connection asks twice in its life. Addresses without a connection take no
 * memory.
 */
#include "lib/ip.h"

struct sources;

enum source_answer {
	SOURCE_TAKEN,   /* counted: sources_leave() follows */
	SOURCE_FULL,    /* this source has as many as it may */
	SOURCE_ALL_FULL /* all together */
};

[[nodiscard]] struct sources *sources_new(void);
void sources_free(struct sources *s);
enum source_answer sources_enter(
	struct sources *s, const struct addr *a, unsigned per_source, unsigned all);
void sources_leave(struct sources *s, const struct addr *a);
