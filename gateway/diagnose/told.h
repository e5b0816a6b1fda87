/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * told: facts that a program without privileges sends, checked like those of a stranger. Such a
 * program parses what remote hosts send, so it may be in anybody's hands: it can tell lies about
 * packets, and nothing else.
 */
#include "verdict/evidence.h"

constexpr size_t TOLD_MAX = 256; /* facts in one message */

/* Kinds: bits 1 << FACT_…. Adds what the list says to *out; 0, or -EBADMSG when any of it is not a
 * well-formed fact of these kinds, or too much. */
[[nodiscard]] int told_read(
	sd_json_variant *list, uint32_t kinds, struct evidence *out, struct err *err);
