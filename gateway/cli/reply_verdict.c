/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/reply_verdict.h"
#include "cli/reply_field.h"
#include "verdict/verdict.h"
#include <errno.h>
#include <string.h>

static int read_strings(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	for (size_t i = 0; i < sd_json_variant_elements(v); i++)
		if (!sd_json_variant_is_string(sd_json_variant_by_index(v, i)))
			return -EINVAL;
	*(sd_json_variant **)to = sd_json_variant_is_null(v) ? nullptr : v;
	return 0;
}

/* sd-json has the names and values of an object as its elements, in turn. */
static int read_attributes(
	const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags, void *to)
{
	return read_strings(name, v, flags, to);
}

#define STRINGS(type, name, member) \
	{name, SD_JSON_VARIANT_ARRAY, read_strings, offsetof(type, member), SD_JSON_NULLABLE}

static const sd_json_dispatch_field evidence_fields[] = {
	TEXT(struct reply_evidence, "says", says),
	TEXT_OR_NULL(struct reply_evidence, "command", command),
	{},
};

static int read_evidence(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	return reply_list_read(v, evidence_fields, sizeof(struct reply_evidence), to);
}

static const sd_json_dispatch_field remedy_fields[] = {
	TEXT(struct reply_remedy, "text", text),
	STRINGS(struct reply_remedy, "commands", commands),
	TRUTH_OR_NULL(struct reply_remedy, "applicable", applicable),
	{},
};

static int read_remedy(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	struct reply_remedy *remedy = to;

	*remedy = (struct reply_remedy){.set = !sd_json_variant_is_null(v)};
	return remedy->set ? sd_json_dispatch(v, remedy_fields, SD_JSON_ALLOW_EXTENSIONS, remedy)
			   : 0;
}

static const sd_json_dispatch_field verdict_fields[] = {
	TEXT(struct reply_verdict, "code", code),
	TEXT(struct reply_verdict, "class", class),
	TEXT(struct reply_verdict, "confidence", confidence),
	TEXT(struct reply_verdict, "point", point),
	TEXT(struct reply_verdict, "title", title),
	TEXT(struct reply_verdict, "summary", summary),
	TEXT(struct reply_verdict, "flow", flow),
	TEXT(struct reply_verdict, "client", client),
	TEXT(struct reply_verdict, "from", from),
	TEXT(struct reply_verdict, "meshInterface", mesh),
	TEXT(struct reply_verdict, "lanInterface", lan),
	STRINGS(struct reply_verdict, "candidates", candidates),
	STRINGS(struct reply_verdict, "consequences", consequences),
	STRINGS(struct reply_verdict, "wanted", wanted),
	{"attributes", SD_JSON_VARIANT_OBJECT, read_attributes,
		offsetof(struct reply_verdict, attributes), SD_JSON_NULLABLE},
	{"evidence", SD_JSON_VARIANT_ARRAY, read_evidence, offsetof(struct reply_verdict, evidence),
		SD_JSON_MANDATORY},
	TEXT_OR_NULL(struct reply_verdict, "next", next),
	TEXT_OR_NULL(struct reply_verdict, "nextSummary", next_summary),
	TRUTH_OR_NULL(struct reply_verdict, "bothCovered", both_covered),
	{"remedy", SD_JSON_VARIANT_OBJECT, read_remedy, offsetof(struct reply_verdict, remedy),
		SD_JSON_NULLABLE},
	{},
};

int verdict_read(sd_json_variant *reply, struct reply_verdict *out)
{
	sd_json_variant *verdict = sd_json_variant_by_key(reply, "verdict");
	sd_json_variant *record = sd_json_variant_by_key(reply, "record");
	struct err err;

	*out = (struct reply_verdict){};
	if (!verdict || !sd_json_variant_is_object(verdict) ||
		sd_json_dispatch(verdict, verdict_fields, SD_JSON_ALLOW_EXTENSIONS, out) < 0) {
		verdict_clear(out);
		return -EINVAL;
	}
	out->recorded = record && evidence_from_json(record, &out->record, &err) >= 0;
	out->raw = sd_json_variant_ref(verdict);
	return 0;
}

void verdict_clear(struct reply_verdict *v)
{
	list_clear(&v->evidence);
	evidence_clear(&v->record);
	sd_json_variant_unref(v->raw);
	*v = (struct reply_verdict){};
}

const char *strings_at(sd_json_variant *array, size_t i)
{
	if (!array || i >= sd_json_variant_elements(array))
		return nullptr;
	return sd_json_variant_string(sd_json_variant_by_index(array, i));
}

enum exit_status verdict_status(const struct reply_verdict *v)
{
	static const enum exit_status statuses[CODE_CLASSES] = {
		[CODE_CLASS_HEALTHY] = EXIT_DONE,
		[CODE_CLASS_NODE] = EXIT_CAUSE_NODE,
		[CODE_CLASS_LAN] = EXIT_CAUSE_LAN,
		[CODE_CLASS_SERVICE] = EXIT_CAUSE_SERVICE,
		[CODE_CLASS_TUNNEL] = EXIT_CAUSE_TUNNEL,
		[CODE_CLASS_UNDECIDED] = EXIT_UNDECIDED,
	};

	for (enum code_class c = 0; c < CODE_CLASSES; c++)
		if (strcmp(code_class_str(c), v->class) == 0)
			return statuses[c];
	return EXIT_UNDECIDED;
}
