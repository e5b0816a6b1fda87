/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_evidence: text as the record of a diagnosis, out of a bundle or from another process. What
 * is read can be written, and reads and writes the same again; whatever it says, nothing but
 * printable ASCII is shown of it.
 */
#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "verdict/verdict.h"
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_printable(const char *text)
{
	for (; *text; text++)
		assert(*text >= 0x20 && *text <= 0x7e);
}

static char *written(const struct evidence *e)
{
	autojson sd_json_variant *v = nullptr;
	char *text = nullptr;

	if (evidence_to_json(e, &v) < 0 || sd_json_variant_format(v, 0, &text) < 0)
		abort();
	return text;
}

static void check_again(const struct evidence *e)
{
	autojson sd_json_variant *v = nullptr;
	autofree char *first = written(e), *second = nullptr;
	struct evidence again = {};
	struct err err;

	if (sd_json_parse(first, 0, &v, nullptr, nullptr) < 0 ||
		evidence_from_json(v, &again, &err) < 0)
		abort();
	second = written(&again);
	assert(!strcmp(first, second));
	evidence_clear(&again);
}

static void check_strings(sd_json_variant *v)
{
	if (sd_json_variant_is_string(v))
		check_printable(sd_json_variant_string(v));
	if (sd_json_variant_is_array(v) || sd_json_variant_is_object(v))
		for (size_t i = 0; i < sd_json_variant_elements(v); i++)
			check_strings(sd_json_variant_by_index(v, i));
}

static void check_shown(const struct evidence *e, enum code code)
{
	autojson sd_json_variant *v = nullptr;
	char text[FACT_SAYS_LEN];
	struct verdict verdict = {.code = code, .next = CODES};

	for (size_t i = 0; i < e->n; i++) {
		check_printable(fact_says(&e->facts[i], text));
		check_printable(fact_command(&e->facts[i], text));
		if (verdict.n_evidence < VERDICT_EVIDENCE)
			verdict.evidence[verdict.n_evidence++] = i;
	}
	if (verdict_to_json(&verdict, e, &v) < 0)
		abort();
	check_strings(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autojson sd_json_variant *v = nullptr;
	autofree char *text = xcalloc(size + 1, 1);
	struct evidence e = {};
	struct err err = {};

	if (size)
		memcpy(text, data, size);
	if (sd_json_parse(text, 0, &v, nullptr, nullptr) < 0)
		return 0;
	if (evidence_from_json(v, &e, &err) < 0) {
		assert(err.msg[0] && !e.facts);
		return 0;
	}
	check_again(&e);
	check_shown(&e, (enum code)(size % CODES));
	evidence_clear(&e);
	return 0;
}
