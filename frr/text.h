/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * text: words of a line of FRR's configuration.
 *
 * FRR separates words by single blanks in what it shows. These functions look at such a line
 * without changing or copying it.
 */
#include "lib/ip.h"

bool text_begins(const char *text, const char *with);

/* Printable ASCII? Other bytes must not be sent back to vtysh, which would take them as keys. */
bool text_is_plain(const char *text);

/* If the first words of text are those of `words`: what follows them and one blank ("" at the end
 * of the line). nullptr otherwise. text_after("ip route 10.0.0.0/8 eth0", "ip route") is
 * "10.0.0.0/8 eth0". */
const char *text_after(const char *text, const char *words);

/* Is `words` somewhere in text, as whole words? */
bool text_has(const char *text, const char *words);

/* Length of the first word; what follows it (""). */
size_t text_word_len(const char *text);
const char *text_next(const char *text);

/* The first word as an address or prefix, with what follows it in *rest. */
bool text_take_addr(const char *text, struct addr *out, const char **rest);
bool text_take_prefix(const char *text, struct prefix *out, const char **rest);
bool text_take_u32(const char *text, uint32_t *out, const char **rest);
