/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * suggest: what a misspelt word was probably meant to be.
 */
#include <stddef.h>

/* Insertions, deletions, substitutions and swaps of neighbours that turn a into b, case
 * aside; words longer than 32 bytes count as far from everything. */
unsigned suggest_distance(const char *a, const char *b);

/* Keeps the nearest of the candidates that are shown to it one by one. */
struct suggestion {
	const char *word; /* nullptr: nothing is near enough */
	unsigned distance;
};
void suggest_offer(struct suggestion *best, const char *typed, const char *candidate);
