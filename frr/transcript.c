/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/transcript.h"
#include <string.h>

/* The part of the text that is not read yet, and the line it begins with. */
struct cursor {
	const char *at, *limit;
};

static const char *line_end(const struct cursor *c)
{
	const char *end = memchr(c->at, '\n', (size_t)(c->limit - c->at));
	return end ? end : c->limit;
}

/* Is it "HOST# LINE" or "HOST(config)# LINE"? A host name has no blank. */
static bool is_echo(const char *line, const char *end, const char *of)
{
	const char *mark = memmem(line, (size_t)(end - line), "# ", 2);
	size_t n = strlen(of);
	if (!mark || mark == line || memchr(line, ' ', (size_t)(mark - line)))
		return false;
	return (size_t)(end - mark - 2) == n && memcmp(mark + 2, of, n) == 0;
}

/* Moves behind the echo; *before is then where it began. */
static bool find_echo(struct cursor *c, const char *of, const char **before)
{
	struct cursor look = *c;
	while (look.at < look.limit) {
		const char *end = line_end(&look);
		*before = look.at;
		look.at = end < look.limit ? end + 1 : end;
		if (!is_echo(*before, end, of))
			continue;
		*c = look;
		return true;
	}
	return false;
}

static void end_answer(struct frr_answer *answer, const char *end)
{
	if (answer)
		answer->len = (size_t)(end - answer->text);
}

/* Behind the last answer stands one more prompt, and a newline at the end of the input. */
static const char *last_prompt(const struct cursor *c)
{
	const char *end = c->limit;
	if (end > c->at && end[-1] == '\n')
		end--;
	const char *newline = memrchr(c->at, '\n', (size_t)(end - c->at));
	const char *last = newline ? newline + 1 : c->at;
	return is_echo(last, end, "") ? last : c->limit;
}

void frr_transcript_cut(
	const struct frr_script *script, const char *text, size_t len, struct frr_answer *answers)
{
	struct cursor c = {text, text + len};
	struct frr_answer *open = nullptr;
	for (size_t i = 0; i < script->n; i++)
		answers[i] = (struct frr_answer){};
	for (size_t i = 0; i < script->n; i++) {
		const char *before;
		if (!find_echo(&c, script->lines[i].text, &before))
			break; /* vtysh reads in order: it got no further */
		end_answer(open, before);
		open = &answers[i];
		open->text = c.at;
	}
	if (open)
		end_answer(open, last_prompt(&c));
}

struct frr_answer frr_transcript_find(
	const struct frr_script *script, const struct frr_answer *answers, const char *line)
{
	for (size_t i = 0; i < script->n; i++)
		if (strcmp(script->lines[i].text, line) == 0)
			return answers[i];
	return (struct frr_answer){};
}
