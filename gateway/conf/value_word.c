/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/value_word.h"
#include "conf/diag.h"
#include <stdio.h>
#include <string.h>

int words_find(const struct words *words, const char *text, struct suggestion *best)
{
	for (size_t i = 0; i < words->n; i++) {
		if (strcmp(words->list[i], text) == 0)
			return (int)i;
		suggest_offer(best, text, words->list[i]);
	}
	return -1;
}

/* "a, b, c", as far as it fits. */
static const char *list_words(const struct words *words, char *buf, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < words->n && len < size; i++)
		len += (size_t)snprintf(
			buf + len, size - len, "%s%s", i ? ", " : "", words->list[i]);
	return buf;
}

void value_word(struct reader *r, const yaml_node_t *node, void *to)
{
	const struct words *words = r->field->words;
	struct suggestion best = {};
	char known[128];
	int index = words_find(words, reader_text(node), &best);

	if (index >= 0)
		*(struct word *)to = (struct word){true, (uint32_t)index};
	else if (best.word)
		MISTAKE(r, node, "\"%s\" is not %s; did you mean %s?", reader_shown(node).text,
			words->kind, best.word);
	else
		MISTAKE(r, node, "\"%s\" is not %s; possible here: %s", reader_shown(node).text,
			words->kind, list_words(words, known, sizeof(known)));
}

uint32_t value_word_set(struct reader *r, const struct list *list, const yaml_node_t *node)
{
	size_t n;
	const struct word *found = reader_list(r, list, node, &n);
	uint32_t set = 0;

	for (size_t i = 0; i < n; i++) {
		if (!found[i].known)
			continue;
		if (set & 1U << found[i].index)
			MISTAKE(r, node, "%s stands here twice; remove one",
				list->element.words->list[found[i].index]);
		set |= 1U << found[i].index;
	}
	return set;
}
