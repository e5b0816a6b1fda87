/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_json: replies as they came, in plain ASCII. sd-json escapes control characters; what lies
 * beyond ASCII is escaped here, because a terminal also obeys the controls U+0080 to U+009F.
 */
#include "cli/cli.h"
#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <string.h>

static void put_unit(FILE *f, unsigned unit)
{
	fprintf(f, "\\u%04x", unit);
}

/* RFC 8259, section 7: beyond the basic plane, a pair of UTF-16 surrogates. */
static void put_codepoint(FILE *f, unsigned c)
{
	if (c < 0x80 && c != 0x7f) {
		fputc((int)c, f);
	} else if (c < 0x10000) {
		put_unit(f, c);
	} else {
		put_unit(f, 0xd800 + ((c - 0x10000) >> 10));
		put_unit(f, 0xdc00 + ((c - 0x10000) & 0x3ff));
	}
}

/* sd-json lets only valid UTF-8 in. */
static void put_ascii(FILE *f, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p;) {
		unsigned c = *p++;
		unsigned more = c < 0xc0 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
		if (more)
			c &= 0x3fU >> more;
		for (; more && *p; more--)
			c = c << 6 | (*p++ & 0x3f);
		put_codepoint(f, c);
	}
}

static void put_json(const struct view *v, sd_json_variant *json)
{
	autofree char *text = nullptr;

	if (sd_json_variant_format(json, SD_JSON_FORMAT_NEWLINE, &text) < 0)
		out_of_memory();
	put_ascii(v->out.file, text);
}

static void must(int r)
{
	if (r < 0)
		out_of_memory();
}

static void json_status(const struct view *v, const struct status *s)
{
	put_json(v, s->raw);
}

static void json_changes(const struct view *v, const char *, const struct changes *c)
{
	put_json(v, c->raw);
}

/* The verdict alone: its evidence is part of it, the record is for bundles. */
static void json_verdict(const struct view *v, const struct reply_verdict *verdict)
{
	put_json(v, verdict->raw);
}

static void json_checks(const struct view *v, const struct checks *c)
{
	put_json(v, c->raw);
}

static void json_flow(const struct view *v, const struct reply_flow *, sd_json_variant *json)
{
	put_json(v, json);
}

static void json_checked(const struct view *v, const char *file, const char *canonical)
{
	autojson sd_json_variant *json = nullptr;

	must(sd_json_buildo(&json, SD_JSON_BUILD_PAIR_STRING("file", file),
		SD_JSON_BUILD_PAIR_CONDITION(
			canonical != nullptr, "content", SD_JSON_BUILD_STRING(canonical))));
	put_json(v, json);
}

static void json_pin(const struct view *v, const char *pin)
{
	autojson sd_json_variant *json = nullptr;

	must(sd_json_buildo(&json, SD_JSON_BUILD_PAIR_STRING("pin", pin)));
	put_json(v, json);
}

static void json_version(const struct view *v, const char *version)
{
	autojson sd_json_variant *json = nullptr;

	must(sd_json_buildo(&json, SD_JSON_BUILD_PAIR_STRING("version", version)));
	put_json(v, json);
}

static void json_bundle(const struct view *v, const struct bundle_summary *b)
{
	autojson sd_json_variant *json = nullptr;

	must(sd_json_buildo(&json, SD_JSON_BUILD_PAIR_STRING("file", b->file),
		SD_JSON_BUILD_PAIR_UNSIGNED("tasks", b->tasks),
		SD_JSON_BUILD_PAIR_UNSIGNED("failed", b->failed),
		SD_JSON_BUILD_PAIR_BOOLEAN("verdict", b->has_verdict)));
	put_json(v, json);
}

static void json_edge(const struct view *v, const struct reply_tunnel *t)
{
	put_json(v, t->raw);
}

static void json_promoted(const struct view *v, const struct promoted *p)
{
	put_json(v, p->raw);
}

static void append_option(sd_json_variant **list, const struct cli_option *o)
{
	char letter[2] = {o->letter};

	must(sd_json_variant_append_arraybo(list, SD_JSON_BUILD_PAIR_STRING("name", o->name),
		SD_JSON_BUILD_PAIR_CONDITION(o->letter, "letter", SD_JSON_BUILD_STRING(letter)),
		SD_JSON_BUILD_PAIR_CONDITION(
			o->argument != nullptr, "argument", SD_JSON_BUILD_STRING(o->argument)),
		SD_JSON_BUILD_PAIR_STRING("summary", o->summary)));
}

/* The options of these bits; bit 0: those that every command takes. */
static sd_json_variant *options_json(unsigned bits)
{
	sd_json_variant *list = nullptr;

	must(sd_json_variant_new_array(&list, nullptr, 0));
	for (const struct cli_option *o = cli_options; o->name; o++)
		if (bits ? o->bit & bits : !o->bit)
			append_option(&list, o);
	return list;
}

static void append_command(sd_json_variant **list, const struct command *c)
{
	autojson sd_json_variant *options = nullptr;

	if (c->options)
		options = options_json(c->options);
	else
		must(sd_json_variant_new_array(&options, nullptr, 0));
	must(sd_json_variant_append_arraybo(list, SD_JSON_BUILD_PAIR_STRING("name", c->name),
		SD_JSON_BUILD_PAIR_CONDITION(
			c->arguments != nullptr, "arguments", SD_JSON_BUILD_STRING(c->arguments)),
		SD_JSON_BUILD_PAIR_STRING("summary", c->summary),
		SD_JSON_BUILD_PAIR_VARIANT("options", options)));
}

static void append_status(sd_json_variant **list, enum exit_status status)
{
	must(sd_json_variant_append_arraybo(list, SD_JSON_BUILD_PAIR_UNSIGNED("status", status),
		SD_JSON_BUILD_PAIR_STRING("name", exit_status_id(status)),
		SD_JSON_BUILD_PAIR_STRING("meaning", exit_status_str(status))));
}

static void json_help(
	const struct view *v, const struct command *table, const struct command *command)
{
	autojson sd_json_variant *json = nullptr, *commands = nullptr, *statuses = nullptr;
	autojson sd_json_variant *options = options_json(0);

	must(sd_json_variant_new_array(&commands, nullptr, 0));
	must(sd_json_variant_new_array(&statuses, nullptr, 0));
	for (const struct command *c = table; c->name; c++)
		if (!command || strcmp(c->name, command->name) == 0)
			append_command(&commands, c);
	for (enum exit_status s = 0; s < EXIT_STATUSES; s++)
		append_status(&statuses, s);
	must(sd_json_buildo(&json, SD_JSON_BUILD_PAIR_VARIANT("commands", commands),
		SD_JSON_BUILD_PAIR_VARIANT("options", options),
		SD_JSON_BUILD_PAIR_VARIANT("exitStatuses", statuses)));
	put_json(v, json);
}

static void json_failure(const struct view *v, const struct failure *f)
{
	autojson sd_json_variant *json = nullptr, *none = nullptr;

	must(sd_json_variant_new_object(&none, nullptr, 0));
	must(sd_json_buildo(&json, SD_JSON_BUILD_PAIR_STRING("error", f->id),
		SD_JSON_BUILD_PAIR_VARIANT("parameters", f->parameters ? f->parameters : none),
		SD_JSON_BUILD_PAIR_STRING("message", f->message)));
	put_json(v, json);
}

const struct out out_json = {
	.status = json_status,
	.changes = json_changes,
	.checked = json_checked,
	.verdict = json_verdict,
	.checks = json_checks,
	.flow = json_flow,
	.bundle = json_bundle,
	.edge = json_edge,
	.promoted = json_promoted,
	.pin = json_pin,
	.version = json_version,
	.help = json_help,
	.failure = json_failure,
};
