/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/text.h"
#include <string.h>

bool text_begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

bool text_is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

const char *text_after(const char *text, const char *words)
{
	size_t n = strlen(words);
	if (strncmp(text, words, n) != 0)
		return nullptr;
	if (text[n] == '\0')
		return text + n;
	return text[n] == ' ' ? text + n + 1 : nullptr;
}

bool text_has(const char *text, const char *words)
{
	for (; *text; text = text_next(text))
		if (text_after(text, words))
			return true;
	return false;
}

size_t text_word_len(const char *text)
{
	return strcspn(text, " ");
}

const char *text_next(const char *text)
{
	text += text_word_len(text);
	return text + (*text == ' ');
}

/* Copies the first word; false when it does not fit. */
static bool first_word(const char *text, char *word, size_t size)
{
	size_t n = text_word_len(text);
	if (n == 0 || n >= size)
		return false;
	memcpy(word, text, n);
	word[n] = '\0';
	return true;
}

bool text_take_addr(const char *text, struct addr *out, const char **rest)
{
	char word[ADDR_STRLEN];
	if (!first_word(text, word, sizeof(word)) || addr_parse(word, out) < 0)
		return false;
	*rest = text_next(text);
	return true;
}

bool text_take_prefix(const char *text, struct prefix *out, const char **rest)
{
	char word[PREFIX_STRLEN];
	if (!first_word(text, word, sizeof(word)) || prefix_parse(word, out) < 0)
		return false;
	*rest = text_next(text);
	return true;
}

bool text_take_u32(const char *text, uint32_t *out, const char **rest)
{
	uint64_t value = 0;
	size_t n = strspn(text, "0123456789");
	if (n == 0 || n > 10 || n != text_word_len(text))
		return false;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	if (value > UINT32_MAX)
		return false;
	*out = (uint32_t)value;
	*rest = text_next(text);
	return true;
}
