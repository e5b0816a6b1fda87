/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/escape.h"
#include "lib/json.h"
#include "lib/own.h"
#include "verdict/fact_command.h"
#include "verdict/verdict.h"
#include <stdio.h>
#include <string.h>

/* Every text of it is shown to people by somebody: nothing but printable ASCII. */
static int set_text(sd_json_variant **v, const char *key, const char *text)
{
	char shown[4 * FACT_SAYS_LEN];

	return sd_json_variant_set_field_string(
		v, key, escape_text(text, strlen(text), shown, sizeof(shown)));
}

static int set_list(sd_json_variant **v, const char *key, sd_json_variant **list, size_t n)
{
	autojson sd_json_variant *array = nullptr;
	int r = sd_json_variant_new_array(&array, list, n);

	return r < 0 ? r : sd_json_variant_set_field(v, key, array);
}

/* The same sentence once, though several facts say it. */
static bool is_said(sd_json_variant *const list[], size_t n, const char *key, sd_json_variant *new)
{
	sd_json_variant *text = key ? sd_json_variant_by_key(new, key) : new;

	for (size_t i = 0; i < n; i++)
		if (sd_json_variant_equal(
			    key ? sd_json_variant_by_key(list[i], key) : list[i], text))
			return true;
	return false;
}

/* A list of n texts, each of them given by its function. */
static int set_texts(sd_json_variant **v, const char *key, size_t n,
	const char *(*text)(const void *of, size_t i), const void *of)
{
	sd_json_variant *list[OBSERVERS + VERDICT_CANDIDATES + VERDICT_CONSEQUENCES] = {};
	char shown[4 * FACT_SAYS_LEN];
	size_t said = 0;
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		autojson sd_json_variant *new = nullptr;
		const char *t = text(of, i);
		r = sd_json_variant_new_string(
			&new, escape_text(t, strlen(t), shown, sizeof(shown)));
		if (r >= 0 && !is_said(list, said, nullptr, new))
			list[said++] = TAKE_PTR(new);
	}
	if (r >= 0)
		r = set_list(v, key, list, said);
	for (size_t i = 0; i < said; i++)
		sd_json_variant_unref(list[i]);
	return r;
}

static const char *candidate_text(const void *of, size_t i)
{
	return code_str(((const struct verdict *)of)->candidates[i]);
}

static const char *consequence_text(const void *of, size_t i)
{
	return ((const struct verdict *)of)->consequences[i];
}

static const char *wanted_text(const void *of, size_t i)
{
	return fact_observer_str(((const struct verdict *)of)->wanted[i]);
}

static const char *command_text(const void *of, size_t i)
{
	return ((const struct verdict_remedy *)of)->commands[i];
}

/* A table of the packet filter is shown as nft names it, with its family. */
static int set_attribute(
	sd_json_variant **v, const struct verdict *verdict, const struct verdict_attribute *a)
{
	const char *family = verdict_attribute(verdict, "family");
	char table[2 * FACT_TEXT_LEN];

	if (!family || strcmp(a->name, "table") != 0)
		return set_text(v, a->name, a->value);
	snprintf(table, sizeof(table), "%s %s", family, a->value);
	return set_text(v, a->name, table);
}

static int set_attributes(sd_json_variant **v, const struct verdict *verdict)
{
	autojson sd_json_variant *all = nullptr;
	int r = sd_json_variant_new_object(&all, nullptr, 0);

	for (size_t i = 0; i < verdict->n_attributes && r >= 0; i++)
		if (strcmp(verdict->attributes[i].name, "family") != 0)
			r = set_attribute(&all, verdict, &verdict->attributes[i]);
	return r < 0 ? r : sd_json_variant_set_field(v, "attributes", all);
}

static int item_new(const struct fact *f, const struct flow *flow, sd_json_variant **out)
{
	char text[FACT_SAYS_LEN];
	int r = set_text(out, "source", fact_source(f));

	if (r >= 0)
		r = set_text(out, "says", fact_says(f, text));
	if (r >= 0)
		r = set_text(out, "command", fact_command_for(f, flow, text));
	return r;
}

static int set_evidence(
	sd_json_variant **v, const struct verdict *verdict, const struct evidence *e)
{
	sd_json_variant *list[VERDICT_EVIDENCE] = {};
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < verdict->n_evidence && r >= 0; i++) {
		autojson sd_json_variant *item = nullptr;
		if (verdict->evidence[i] >= e->n)
			continue;
		r = item_new(&e->facts[verdict->evidence[i]], &e->flow, &item);
		if (r >= 0 && !is_said(list, n, "says", item))
			list[n++] = TAKE_PTR(item);
	}
	if (r >= 0)
		r = set_list(v, "evidence", list, n);
	for (size_t i = 0; i < n; i++)
		sd_json_variant_unref(list[i]);
	return r;
}

static int set_next(sd_json_variant **v, const struct verdict *verdict)
{
	autojson sd_json_variant *none = nullptr;
	int r;

	if (verdict->next < CODES) {
		r = set_text(v, "next", code_str(verdict->next));
		if (r >= 0)
			r = set_text(v, "nextSummary", verdict->next_summary);
		if (r >= 0)
			r = sd_json_variant_set_field_boolean(
				v, "bothCovered", verdict->both_covered);
		return r;
	}
	r = sd_json_variant_new_null(&none);
	return r < 0 ? r : sd_json_variant_set_field(v, "next", none);
}

static int set_remedy(sd_json_variant **v, const struct verdict *verdict, const struct evidence *e)
{
	autojson sd_json_variant *object = nullptr;
	struct verdict_remedy remedy;

	verdict_remedy(verdict, e, &remedy);
	int r = set_text(&object, "text", remedy.text);
	if (r >= 0)
		r = set_texts(&object, "commands", remedy.n_commands, command_text, &remedy);
	if (r >= 0)
		r = sd_json_variant_set_field_boolean(&object, "applicable", remedy.applicable);
	return r < 0 ? r : sd_json_variant_set_field(v, "remedy", object);
}

/* What was asked, as the picture of the path needs it. */
static int set_flow(sd_json_variant **v, const struct evidence *e)
{
	char flow[FLOW_STRLEN], client[ADDR_STRLEN] = "";

	if (e->flow.client.family != AF_UNSPEC)
		addr_str(&e->flow.client, client);
	const char *const texts[][2] = {
		{"flow", flow_str(&e->flow, flow)},
		{"client", client},
		{"from", e->flow.from},
		{"meshInterface", e->mesh},
		{"lanInterface", e->lan},
	};
	int r = 0;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && r >= 0; i++)
		r = set_text(v, texts[i][0], texts[i][1]);
	return r;
}

static int set_cause(sd_json_variant **v, const struct verdict *verdict, const struct evidence *e)
{
	const char *const texts[][2] = {
		{"id", e->id},
		{"code", code_str(verdict->code)},
		{"class", code_class_str(code_row(verdict->code)->class)},
		{"confidence", confidence_str(verdict->confidence)},
		{"point", verdict_point_str(verdict->at)},
		{"title", code_row(verdict->code)->title},
		{"summary", verdict->summary},
	};
	int r = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && r >= 0; i++)
		r = set_text(v, texts[i][0], texts[i][1]);
	return r;
}

int verdict_to_json(const struct verdict *verdict, const struct evidence *e, sd_json_variant **out)
{
	autojson sd_json_variant *v = nullptr;
	int r = set_cause(&v, verdict, e);

	if (r >= 0)
		r = set_flow(&v, e);
	if (r >= 0)
		r = set_texts(&v, "candidates", verdict->n_candidates, candidate_text, verdict);
	if (r >= 0)
		r = set_attributes(&v, verdict);
	if (r >= 0)
		r = set_evidence(&v, verdict, e);
	if (r >= 0)
		r = set_texts(
			&v, "consequences", verdict->n_consequences, consequence_text, verdict);
	if (r >= 0)
		r = set_next(&v, verdict);
	if (r >= 0)
		r = set_remedy(&v, verdict, e);
	if (r >= 0)
		r = set_texts(&v, "wanted", verdict->n_wanted, wanted_text, verdict);
	if (r < 0)
		return r;
	*out = TAKE_PTR(v);
	return 0;
}
