/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/redact.h"
#include "lib/escape.h"
#include "lib/json.h"
#include "lib/own.h"
#include <errno.h>
#include <string.h>

constexpr size_t TEXT_MAX = 1024;
constexpr size_t LIST_MAX = 32;

static const char *text_of(sd_json_variant *v, const char *key)
{
	sd_json_variant *text = v ? sd_json_variant_by_key(v, key) : nullptr;

	return text && sd_json_variant_is_string(text) ? sd_json_variant_string(text) : nullptr;
}

/* A word that may stand in a head, a label or an address as it is. */
static const char *word_of(sd_json_variant *v, const char *key, const char *allowed)
{
	const char *text = text_of(v, key);

	if (!text || !text[0] || strlen(text) > 64 || text[strspn(text, allowed)])
		return nullptr;
	return text;
}

const char *redact_code(sd_json_variant *verdict)
{
	return word_of(verdict, "code", "abcdefghijklmnopqrstuvwxyz0123456789-");
}

const char *redact_id(sd_json_variant *verdict)
{
	return word_of(
		verdict, "id", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._");
}

const struct cause *redact_cause(sd_json_variant *verdict)
{
	static const struct cause of_newer = {.about_flow = true};
	const char *code = redact_code(verdict);
	const struct cause *known = code ? cause_find(code) : nullptr;

	if (!code || (known && !known->about_flow))
		return nullptr;
	return known ? known : &of_newer;
}

static int text_new(sd_json_variant *v, const char *key, sd_json_variant **out)
{
	const char *text = text_of(v, key);
	char shown[TEXT_MAX];

	if (!text)
		return 0;
	return sd_json_variant_new_string(
		out, escape_text(text, strlen(text), shown, sizeof(shown)));
}

int redact_text(sd_json_variant *verdict, const char *from, sd_json_variant **out, const char *key)
{
	autojson sd_json_variant *text = nullptr;
	int r = text_new(verdict, from, &text);

	return r < 0 || !text ? r : sd_json_variant_set_field(out, key, text);
}

/* A list of the verdict, each element made new by its function; nothing where that makes none. */
static int set_list(sd_json_variant *v, const char *from, sd_json_variant **out, const char *key,
	int (*each)(sd_json_variant *v, enum bridge_reveal reveal, sd_json_variant **out),
	enum bridge_reveal reveal)
{
	sd_json_variant *list = v ? sd_json_variant_by_key(v, from) : nullptr;
	sd_json_variant *made[LIST_MAX] = {};
	autojson sd_json_variant *array = nullptr;
	size_t n = 0;
	int r = 0;

	if (!list || !sd_json_variant_is_array(list) || !sd_json_variant_elements(list))
		return 0;
	for (size_t i = 0; i < sd_json_variant_elements(list) && n < LIST_MAX && r >= 0; i++) {
		r = each(sd_json_variant_by_index(list, i), reveal, &made[n]);
		n += made[n] != nullptr;
	}
	if (r >= 0)
		r = sd_json_variant_new_array(&array, made, n);
	if (r >= 0)
		r = sd_json_variant_set_field(out, key, array);
	for (size_t i = 0; i < n; i++)
		sd_json_variant_unref(made[i]);
	return r;
}

static int item_new(sd_json_variant *v, enum bridge_reveal, sd_json_variant **out)
{
	char shown[TEXT_MAX];

	if (!sd_json_variant_is_string(v))
		return 0;
	const char *text = sd_json_variant_string(v);
	return sd_json_variant_new_string(
		out, escape_text(text, strlen(text), shown, sizeof(shown)));
}

static int evidence_new(sd_json_variant *v, enum bridge_reveal reveal, sd_json_variant **out)
{
	int r = 0;

	if (!sd_json_variant_is_object(v))
		return 0;
	r = redact_text(v, "source", out, "source");
	if (r >= 0)
		r = redact_text(v, "says", out, "says");
	if (r >= 0 && reveal == BRIDGE_REVEAL_ALL)
		r = redact_text(v, "command", out, "command");
	return r;
}

static int set_fix(sd_json_variant *verdict, sd_json_variant **out)
{
	sd_json_variant *remedy = verdict ? sd_json_variant_by_key(verdict, "remedy") : nullptr;
	autojson sd_json_variant *fix = nullptr;

	if (!remedy || !sd_json_variant_is_object(remedy))
		return 0;
	int r = redact_text(remedy, "text", &fix, "text");
	if (r >= 0)
		r = set_list(remedy, "commands", &fix, "commands", item_new, BRIDGE_REVEAL_ALL);
	return r < 0 || !fix ? r : sd_json_variant_set_field(out, "fix", fix);
}

int redact_verdict(sd_json_variant *verdict, enum bridge_reveal reveal, sd_json_variant **out)
{
	int r = redact_text(verdict, "confidence", out, "confidence");

	if (r >= 0)
		r = set_list(verdict, "candidates", out, "candidates", item_new, reveal);
	if (r >= 0)
		r = redact_text(verdict, "next", out, "next");
	if (r >= 0 && reveal >= BRIDGE_REVEAL_EVIDENCE)
		r = set_list(verdict, "evidence", out, "evidence", evidence_new, reveal);
	if (r >= 0 && reveal >= BRIDGE_REVEAL_ALL)
		r = set_fix(verdict, out);
	return r;
}
