/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * told: facts that a program without privileges sends, checked like those of a stranger. Such a
 * program parses what remote hosts send, so it may be in anybody's hands. Then it can tell lies
 * about packets, drops and services, also that there were none, and the verdict believes them: it
 * may accuse the wrong one. It cannot speak of what this daemon reads for itself (routes, settings,
 * filters, neighbours, BGP), nor of other kinds of facts, nor without measure; and a verdict
 * changes nothing here.
 */
#include "verdict/evidence.h"

constexpr size_t TOLD_MAX = 256; /* facts in one message */

/* Kinds: bits 1 << FACT_…. Adds what the list says to *out; 0, or -EBADMSG when any of it is not a
 * well-formed fact of these kinds, or too much. */
[[nodiscard]] int told_read(
	sd_json_variant *list, uint32_t kinds, struct evidence *out, struct err *err);
