/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/model.h"

/* lib/command_lex.l and vtysh: '?' asks for help and a tab completes, in a script as well. */
static bool char_ok(char c)
{
	return c >= ' ' && c <= '~' && c != '?';
}

bool frr_text_ok(const char *text)
{
	size_t n = 0;
	for (; text[n]; n++)
		if (!char_ok(text[n]))
			return false;
	return n && text[0] != ' ' && text[n - 1] != ' ' && text[0] != '!' && text[0] != '#';
}

bool frr_word_ok(const char *text)
{
	for (size_t i = 0; text[i]; i++)
		if (text[i] == ' ')
			return false;
	return frr_text_ok(text);
}
