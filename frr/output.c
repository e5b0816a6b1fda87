/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/output.h"
#include "frr/text.h"
#include "frr/transcript.h"
#include "lib/escape.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

static bool answer_begins(struct frr_answer answer, const char *with)
{
	size_t n = strlen(with);
	return answer.len >= n && memcmp(answer.text, with, n) == 0;
}

/* bgpd says it without a "%" (bgpd/bgp_vty.c, router_bgp). */
static const char *const refusals[] = {"%", "BGP instance ", "Error", "Invalid "};

/* To a line that removes: it was gone already (staticd/static_vty.c, bgpd/bgp_route.c). */
static const char *const gone[] = {"% Refusing to remove a non-existent", "% Can't find"};

static bool is_refusal(const struct frr_line *line, struct frr_answer answer)
{
	const char *text = line->text + strspn(line->text, " ");
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		if (text_begins(text, "no ") && answer_begins(answer, gone[i]))
			return false;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (answer_begins(answer, refusals[i]))
			return true;
	return false;
}

/* FRR repeats a line that it does not know: ends in front of the secret. */
static size_t length_before_secret(const struct frr_line *line, struct frr_answer answer)
{
	const char *secret = line->text + line->shown;
	secret += strspn(secret, " ");
	const char *found = *secret ? memmem(answer.text, answer.len, secret, strlen(secret))
				    : nullptr;
	return found ? (size_t)(found - answer.text) : answer.len;
}

static void copy_words(
	const struct frr_line *line, struct frr_answer answer, char *out, size_t size)
{
	size_t len = length_before_secret(line, answer), n = 0;
	char *words = xcalloc(len + 1, 1);
	for (size_t i = 0; i < len; i++) {
		bool blank = answer.text[i] == ' ' || answer.text[i] == '\n' ||
			     answer.text[i] == '\r';
		if (!blank)
			words[n++] = answer.text[i];
		else if (n && words[n - 1] != ' ')
			words[n++] = ' ';
	}
	while (n && words[n - 1] == ' ')
		n--;
	escape_text(words, n, out, size);
	explicit_bzero(words, len);
	free(words);
}

size_t frr_output_read(const struct frr_script *script, const char *text, size_t len,
	struct frr_refusal *out, size_t max)
{
	struct frr_answer *answers = xcalloc(script->n, sizeof(*answers));
	size_t n = 0;
	frr_transcript_cut(script, text, len, answers);
	for (size_t i = 0; i < script->n; i++) {
		const struct frr_line *line = &script->lines[i];
		if (!answers[i].text || !is_refusal(line, answers[i]))
			continue;
		if (n < max) {
			out[n].line = line;
			copy_words(line, answers[i], out[n].text, sizeof(out[n].text));
		}
		n++;
	}
	free(answers);
	return n;
}
