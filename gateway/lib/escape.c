/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/escape.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Writes the shown form of one byte and returns its length. */
static size_t escape_byte(unsigned char c, char form[static 5])
{
	static const char named[] = {['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};

	if (c >= 0x20 && c <= 0x7e)
		return (size_t)snprintf(form, 5, "%c", c);
	if (c < sizeof(named) && named[c])
		return (size_t)snprintf(form, 5, "\\%c", named[c]);
	return (size_t)snprintf(form, 5, "\\x%02x", c);
}

char *escape_text(const char *text, size_t len, char *out, size_t size)
{
	static const char dots[] = "...";
	size_t used = 0;
	size_t cut = 0; /* where the dots would go */

	assert(size > 0);
	for (size_t i = 0; i < len; i++) {
		char form[5];
		size_t n = escape_byte((unsigned char)text[i], form);
		if (used + n >= size) {
			size_t room = size - cut < sizeof(dots) ? size - cut : sizeof(dots);
			snprintf(out + cut, room, "%s", dots);
			return out;
		}
		memcpy(out + used, form, n);
		used += n;
		if (used + sizeof(dots) <= size)
			cut = used;
	}
	out[used] = '\0';
	return out;
}

/* Length of the sequence that this byte begins (RFC 3629); 0 for a continuation byte. */
static size_t utf8_sequence(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xc0)
		return 0;
	return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

void utf8_trim(char *text)
{
	size_t len = strlen(text);
	size_t lead = len;

	while (lead > 0 && len - lead < 4) {
		size_t want = utf8_sequence((unsigned char)text[--lead]);
		if (want == 0)
			continue;
		if (want > len - lead)
			text[lead] = '\0';
		return;
	}
}
