/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_text_verdict: a verdict for people: what it is, where it is, how that is known, what to do.
 * Commands stand on lines of their own and are never broken, so that they can be copied.
 */
#include "cli/out.h"
#include "verdict/verdict.h"
#include <string.h>

constexpr size_t INDENT = 2;
constexpr size_t INDENT_COMMAND = 6;

static void newline(const struct term *t)
{
	term_raw(t, STYLE_PLAIN, "\n");
}

static void print_command(const struct term *t, enum style style, const char *command)
{
	fprintf(t->file, "%*s", (int)INDENT_COMMAND, "");
	term_print(t, style, "%s", command);
	newline(t);
}

/* "a, b, c", escaped where it is printed; cut if it is too long. */
static const char *join(sd_json_variant *strings, char *out, size_t size)
{
	size_t used = 0;
	const char *s;

	out[0] = '\0';
	for (size_t i = 0; (s = strings_at(strings, i)) && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", s);
	return out;
}

/* ---- What it is ---- */

static enum style class_style(enum exit_status status)
{
	if (status == EXIT_DONE)
		return STYLE_GOOD;
	return status == EXIT_UNDECIDED ? STYLE_WARN : STYLE_BAD;
}

static const char *where(enum exit_status status)
{
	switch (status) {
	case EXIT_CAUSE_NODE:
		return ", on this gateway";
	case EXIT_CAUSE_LAN:
		return ", between the gateway and the service";
	case EXIT_CAUSE_SERVICE:
		return ", at the service";
	case EXIT_CAUSE_TUNNEL:
		return ", before the gateway";
	default:
		return "";
	}
}

/* What each confidence means; empty where the word says it all. */
static const char *meaning(const char *confidence)
{
	static const struct {
		enum confidence confidence;
		const char *text;
	} table[] = {
		{CONFIDENCE_LIKELY, ": it explains all that was seen, and one step was not seen"},
		{CONFIDENCE_UNDETERMINED, ": causes that cannot be told apart from this gateway"},
		{CONFIDENCE_INCONCLUSIVE, ": the evidence is not enough"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(confidence_str(table[i].confidence), confidence) == 0)
			return table[i].text;
	return "";
}

/* Commands know some things by several names: each is said once. */
static bool said_before(sd_json_variant *attributes, size_t i, const char *value)
{
	for (size_t j = 1; j < i; j += 2)
		if (strcmp(strings_at(attributes, j), value) == 0)
			return true;
	return false;
}

static void print_attributes(const struct term *t, sd_json_variant *attributes)
{
	char line[1024] = "";
	size_t used = 0;
	const char *name, *value;

	for (size_t i = 0; (name = strings_at(attributes, i)) &&
			   (value = strings_at(attributes, i + 1)) && used < sizeof(line);
		i += 2)
		if (*value && !said_before(attributes, i, value))
			used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s %s",
				used ? ", " : "", name, value);
	if (used)
		term_wrap(t, STYLE_DIM, INDENT, 0, "%s", line);
}

static void print_head(const struct view *v, const struct reply_verdict *verdict)
{
	const struct term *t = &v->out;
	enum exit_status status = verdict_status(verdict);
	char list[1024];

	term_print(t, class_style(status), "%s", verdict->code);
	term_raw(t, STYLE_PLAIN, ": ");
	term_wrap(t, STYLE_PLAIN, INDENT, strlen(verdict->code) + 2, "%s",
		*verdict->summary ? verdict->summary : verdict->title);
	term_wrap(t, STYLE_PLAIN, INDENT, 0, "%s%s; %s%s", verdict->flow, where(status),
		verdict->confidence, meaning(verdict->confidence));
	if (*join(verdict->candidates, list, sizeof(list)))
		term_wrap(t, STYLE_WARN, INDENT, 0, "still possible: %s", list);
	print_attributes(t, verdict->attributes);
}

/* ---- How it is known ---- */

static void print_evidence(const struct view *v, const struct reply_verdict *verdict)
{
	const struct reply_evidence *list = verdict->evidence.items;

	if (verdict->evidence.n)
		term_heading(&v->out, "Evidence");
	for (size_t i = 0; i < verdict->evidence.n; i++) {
		term_wrap(&v->out, STYLE_PLAIN, INDENT, 0, "%s", list[i].says);
		if (list[i].command && *list[i].command)
			print_command(&v->out, STYLE_DIM, list[i].command);
	}
}

static void print_consequences(const struct view *v, sd_json_variant *consequences)
{
	const char *s = strings_at(consequences, 0);

	if (s)
		term_heading(&v->out, "What follows from it");
	for (size_t i = 0; (s = strings_at(consequences, i)); i++)
		term_wrap(&v->out, STYLE_PLAIN, INDENT, 0, "%s", s);
}

static void print_next(const struct view *v, const struct reply_verdict *verdict)
{
	const struct term *t = &v->out;
	const char *summary = verdict->next_summary ? verdict->next_summary : "";

	if (!verdict->next)
		return;
	term_heading(t, "The next fault on the way");
	fprintf(t->file, "%*s", (int)INDENT, "");
	term_print(t, STYLE_WARN, "%s", verdict->next);
	term_wrap(t, STYLE_PLAIN, INDENT, INDENT + strlen(verdict->next), "%s%s",
		*summary ? ": " : "", summary);
	if (verdict->both_covered)
		term_wrap(t, STYLE_PLAIN, INDENT, 0, "The remedy repairs it as well.");
}

/* ---- What to do ---- */

/* Can it be pasted into a shell as it is? */
static bool is_plain(const char *text)
{
	return !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				  "-_./:%@+,")];
}

static void print_fix(const struct view *v, const struct reply_verdict *verdict)
{
	const char *target = verdict->target ? verdict->target : "";
	const char *quote = is_plain(target) ? "" : "'";
	char command[512];

	if (!is_plain(verdict->code) || strchr(target, '\''))
		return;
	snprintf(command, sizeof(command), "meshgw fix %s%s%s%s%s", verdict->code,
		*target ? " " : "", quote, target, quote);
	term_wrap(&v->out, STYLE_PLAIN, INDENT, 0,
		"meshgw can do this; it shows what it will do, and asks first:");
	print_command(&v->out, STYLE_BOLD, command);
}

static void print_remedy(const struct view *v, const struct reply_verdict *verdict)
{
	const struct reply_remedy *remedy = &verdict->remedy;
	const char *command;

	if (!remedy->set || !*remedy->text)
		return;
	term_heading(&v->out, "Remedy");
	term_wrap(&v->out, STYLE_PLAIN, INDENT, 0, "%s", remedy->text);
	for (size_t i = 0; (command = strings_at(remedy->commands, i)); i++)
		print_command(&v->out, STYLE_PLAIN, command);
	if (remedy->applicable)
		print_fix(v, verdict);
}

/* ---- What was not looked at ---- */

/* The record's reason, if there is one. */
static const char *why_missing(const struct reply_verdict *verdict, const char *observer)
{
	size_t at = 0;
	const struct fact *f;

	while (verdict->recorded && (f = evidence_next(&verdict->record, FACT_MISSING, &at)))
		if (strcmp(fact_observer_str(f->missing.observer), observer) == 0)
			return f->missing.why;
	return "";
}

static void print_wanted(const struct view *v, const struct reply_verdict *verdict)
{
	const char *observer;

	if (strings_at(verdict->wanted, 0))
		term_heading(&v->out, "Would have told more");
	for (size_t i = 0; (observer = strings_at(verdict->wanted, i)); i++) {
		const char *why = why_missing(verdict, observer);
		term_wrap(
			&v->out, STYLE_PLAIN, INDENT, 0, "%s%s%s", observer, *why ? ": " : "", why);
	}
}

void out_text_verdict(const struct view *v, const struct reply_verdict *verdict)
{
	print_head(v, verdict);
	out_text_way(v, verdict);
	print_evidence(v, verdict);
	print_consequences(v, verdict->consequences);
	print_next(v, verdict);
	print_remedy(v, verdict);
	print_wanted(v, verdict);
}
