/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * evidence_build: evidence from short text, for tests of what is decided.
 *
 * Facts stand in a text, separated by "|": the kind, then fields by the names of their JSON form.
 *
 *   lookup question=reverse oif=eth0 entry table=254|-packet point=lan-in|sysctl key=… value=0
 *
 * A field without "=" is a true one. Text with spaces stands in '…'. A fact that is about the same
 * thing as one that is already there (question, key, name, place …) changes that one's fields; a
 * leading "+" adds it nevertheless, "-" takes away all whose fields are these.
 */
#include "verdict/evidence.h"

/* A gateway whose flow tcp 10.0.1.50:3000 works, seen by all observers; IPv6: the same for
 * 2001:db8:1::50. */
void evidence_healthy(struct evidence *e, uint8_t family);
void evidence_change(struct evidence *e, const char *text);

/* The same facts in another order; seed: which. */
void evidence_shuffle(struct evidence *e, unsigned seed);
void evidence_copy(const struct evidence *e, struct evidence *out);
void evidence_remove(struct evidence *e, size_t i);
