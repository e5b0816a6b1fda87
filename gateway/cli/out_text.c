/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/reply_verdict.h"
#include <inttypes.h>
#include <string.h>

/* ---- Changes ---- */

constexpr size_t CHANGES_SHOWN = 20; /* of each sign */

struct words {
	const char *verb;
	const char *none; /* there was nothing to do */
	const char *done; /* behind the count */
};

static const struct words *words_of(const char *verb)
{
	static const struct words table[] = {
		{"plan", "Nothing to change.", "to make; nothing was changed."},
		{"apply", "Applied; nothing had to change.", "made."},
		{"confirm", "Confirmed.", "made."},
		{"undo", "Back to the configuration before; nothing had to change.",
			"made; back to the configuration before."},
		{"fix-preview", "Nothing to do.", "to make; nothing was changed yet."},
		{"fix", "Nothing had to be done.", "made."},
		{"down", "Taken down; there was nothing to remove.",
			"made; down until the next meshgw apply."},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].verb, verb) == 0)
			return &table[i];
	return &table[0];
}

static enum style action_style(const char *action)
{
	if (strcmp(action, "add") == 0)
		return STYLE_GOOD;
	return strcmp(action, "delete") == 0 ? STYLE_BAD : STYLE_WARN;
}

/* Additions and removals are counted on their own: neither can crowd out the other. */
struct shown {
	size_t added, deleted;
};

static void add_change(struct table *table, const struct reply_change *change, struct shown *shown)
{
	bool deleted = strcmp(change->action, "delete") == 0;
	size_t *n = deleted ? &shown->deleted : &shown->added;

	if (++*n <= CHANGES_SHOWN)
		table_add_line(table, action_style(change->action), "     %c %-9s  %s",
			deleted ? '-' : '+', change->kind, change->text);
}

static void add_rest(struct table *table, size_t n, char sign)
{
	if (n > CHANGES_SHOWN)
		table_add_line(table, STYLE_PLAIN, "     %c and %zu more; --json has all", sign,
			n - CHANGES_SHOWN);
}

static void add_operation(struct table *table, const struct reply_operation *o)
{
	struct shown shown = {};
	struct reply_change change;

	table_add(table, action_style(o->action), "%s", o->action);
	table_add(table, STYLE_PLAIN, "%s", o->name);
	table_add(table, STYLE_DIM, "%s", o->detail);
	for (size_t i = 0; operation_change(o, i, &change); i++)
		add_change(table, &change, &shown);
	add_rest(table, shown.deleted, '-');
	add_rest(table, shown.added, '+');
}

static void text_commands(const struct view *v, sd_json_variant *commands)
{
	const char *command = strings_at(commands, 0);

	if (!command)
		return;
	term_wrap(&v->out, STYLE_PLAIN, 0, 0, "This is not meshgw's to do; root can, with");
	for (size_t i = 0; (command = strings_at(commands, i)); i++) {
		term_print(&v->out, STYLE_PLAIN, "  %s", command);
		term_raw(&v->out, STYLE_PLAIN, "\n");
	}
}

static void text_changes(const struct view *v, const char *verb, const struct changes *c)
{
	const struct reply_operation *list = c->operations.items;
	const struct words *words = words_of(verb);
	struct table table = {.term = &v->out, .columns = 3, .indent = 2};

	for (size_t i = 0; i < c->operations.n; i++)
		add_operation(&table, &list[i]);
	table_flush(&table);
	if (c->operations.n)
		term_print(&v->out, STYLE_PLAIN, "%zu change%s %s", c->operations.n,
			c->operations.n == 1 ? "" : "s", words->done);
	else
		term_print(&v->out, STYLE_PLAIN, "%s", words->none);
	term_raw(&v->out, STYLE_PLAIN, "\n");
	if (c->pending.set) {
		term_print(&v->out, STYLE_WARN,
			"Rolled back in %" PRIu64 " s unless you keep it: meshgw confirm",
			c->pending.remaining_s);
		term_raw(&v->out, STYLE_PLAIN, "\n");
	}
	text_commands(v, c->commands);
	out_text_conditions(v, &c->conditions);
}

/* ---- Check, version ---- */

static void text_checked(const struct view *v, const char *file, const char *canonical)
{
	if (canonical) {
		term_raw(&v->out, STYLE_PLAIN, canonical);
		return;
	}
	term_print(&v->out, STYLE_PLAIN, "%s: no mistakes", file);
	term_raw(&v->out, STYLE_PLAIN, "\n");
}

static void text_pin(const struct view *v, const char *pin)
{
	term_print(&v->out, STYLE_PLAIN, "%s", pin);
	term_raw(&v->out, STYLE_PLAIN, "\n");
}

static void text_version(const struct view *v, const char *version)
{
	term_print(&v->out, STYLE_PLAIN, "meshgw %s", version);
	term_raw(&v->out, STYLE_PLAIN, "\n");
}

static void text_bundle(const struct view *v, const struct bundle_summary *b)
{
	term_print(&v->out, STYLE_PLAIN, "%s: %zu of %zu parts, without passwords and keys",
		b->file, b->tasks - b->failed, b->tasks);
	term_raw(&v->out, STYLE_PLAIN, "\n");
	if (!b->has_verdict)
		term_raw(&v->out, STYLE_WARN,
			"It has no verdict: run meshgw diagnose TARGET before.\n");
}

/* ---- Help ---- */

static void help_options(const struct view *v, unsigned bits)
{
	struct table table = {.term = &v->out, .columns = 2, .indent = 2};

	for (const struct cli_option *o = cli_options; o->name; o++) {
		char letter[8] = "";
		if (o->bit & ~bits)
			continue;
		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		table_add(&table, STYLE_PLAIN, "%s--%s%s%s", letter, o->name,
			o->argument ? " " : "", o->argument ? o->argument : "");
		table_add(&table, STYLE_PLAIN, "%s", o->summary);
	}
	term_heading(&v->out, "Options");
	table_flush(&table);
}

static void help_command(const struct view *v, const struct command *first)
{
	unsigned options = 0;

	for (const struct command *c = first; c; c = command_next(c)) {
		term_print(&v->out, STYLE_PLAIN, "meshgw %s%s%s", c->name, c->arguments ? " " : "",
			c->arguments ? c->arguments : "");
		term_raw(&v->out, STYLE_PLAIN, "\n");
		term_print(&v->out, STYLE_PLAIN, "%s.", c->summary);
		term_raw(&v->out, STYLE_PLAIN, "\n");
		options |= c->options;
	}
	help_options(v, options);
}

static void text_help(
	const struct view *v, const struct command *table, const struct command *command)
{
	struct table rows = {.term = &v->out, .columns = 2, .indent = 2};

	if (command) {
		help_command(v, command);
		return;
	}
	for (const struct command *c = table; c->name; c++) {
		table_add(&rows, STYLE_PLAIN, "%s%s%s", c->name, c->arguments ? " " : "",
			c->arguments ? c->arguments : "");
		table_add(&rows, STYLE_PLAIN, "%s", c->summary);
	}
	term_raw(&v->out, STYLE_PLAIN, "meshgw [OPTIONS] COMMAND [ARGUMENTS]\n");
	term_heading(&v->out, "Commands");
	table_flush(&rows);
	help_options(v, 0);
	term_raw(&v->out, STYLE_PLAIN, "\nmeshgw(8) has the rest.\n");
}

/* ---- Failure ---- */

/* FILE:LINE:COL: path: message, as editors and compilers have it. */
static void print_diagnostic(const struct term *t, const struct reply_diagnostic *d)
{
	term_print(t, STYLE_BOLD, "%s:", d->file);
	if (d->line)
		term_print(t, STYLE_BOLD, "%" PRIu64 ":%" PRIu64 ":", d->line, d->column);
	if (*d->path)
		term_print(t, STYLE_PLAIN, " %s:", d->path);
	term_print(t, STYLE_PLAIN, " %s", d->message);
	term_raw(t, STYLE_PLAIN, "\n");
}

static void text_failure(const struct view *v, const struct failure *f)
{
	struct list diagnostics = {};

	fflush(v->out.file);
	if (f->status == EXIT_CONFIG &&
		diagnostics_read(f->parameters, &diagnostics, nullptr) >= 0) {
		const struct reply_diagnostic *list = diagnostics.items;
		for (size_t i = 0; i < diagnostics.n; i++)
			print_diagnostic(&v->err, &list[i]);
		list_clear(&diagnostics);
	}
	term_raw(&v->err, STYLE_BAD, "meshgw:");
	term_raw(&v->err, STYLE_PLAIN, " ");
	term_raw(&v->err, STYLE_PLAIN, f->message); /* escaped when it was made */
	term_raw(&v->err, STYLE_PLAIN, "\n");
}

const struct out out_text = {
	.status = out_text_status,
	.changes = text_changes,
	.checked = text_checked,
	.verdict = out_text_verdict,
	.checks = out_text_checks,
	.flow = out_text_flow,
	.bundle = text_bundle,
	.edge = out_text_edge,
	.promoted = out_text_promoted,
	.pin = text_pin,
	.version = text_version,
	.help = text_help,
	.failure = text_failure,
};
