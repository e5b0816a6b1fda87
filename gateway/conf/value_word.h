/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * value_word: one of a few words, or a set of them; see value.h.
 */
#include "conf/reader.h"
#include "conf/suggest.h"

struct words {
	const char *const *list;
	size_t n;
	const char *kind; /* what one of them is: "a remedy" */
};

/* The index of the text, or -1; then best has seen all of them. */
int words_find(const struct words *words, const char *text, struct suggestion *best);

/* For the elements of a list: which of the words of its field. */
struct word {
	bool known;
	uint32_t index;
};
void value_word(struct reader *r, const yaml_node_t *node, void *to);

/* A list whose elements are struct word as a set: bit i is word i. A word may stand there once. */
uint32_t value_word_set(struct reader *r, const struct list *list, const yaml_node_t *node);
