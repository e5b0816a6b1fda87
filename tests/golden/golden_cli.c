/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_cli: each CASE.json of a folder beside how meshgw shows it.
 *
 * A case is a reply, as a method answered it, or an error in the form {"error", "parameters"}. The
 * part of its name before the first '-' is the command that asked. CASE.out has what each form of
 * output makes of it, under headings. The clock stands still, at NOW_US.
 *
 * Whatever is in a case, no byte of the plain forms may be anything but printable ASCII.
 */
#include "cli/cli.h"
#include "golden.h"
#include "lib/own.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

constexpr uint64_t NOW_US = 1'795'262'990'000'000; /* 2026-11-21 12:09:50 UTC */

struct form {
	const char *heading;
	const struct out *out;
	bool verbose, terminal;
	size_t width;
	const char *only; /* cases whose name begins so, nullptr = all */
};

static const struct form forms[] = {
	{"text", &out_text, false, false, 0, nullptr},
	{"text, --verbose", &out_text, true, false, 0, "status-"},
	{"text, on a UTF-8 terminal", &out_text, false, true, 80, "status-tunnel-missing"},
	{"text, on a UTF-8 terminal", &out_text, false, true, 100, "diagnose-return-route"},
	{"text, on a narrow terminal", &out_text, false, false, 48, "diagnose-"},
	{"text, on a narrow terminal", &out_text, false, false, 48, "doctor-"},
	{"--json", &out_json, false, false, 0, nullptr},
};

static void show_error(const struct form *form, const struct view *v, sd_json_variant *reply)
{
	struct failure f = {};

	failure_from_error(&f, sd_json_variant_string(sd_json_variant_by_key(reply, "error")),
		sd_json_variant_by_key(reply, "parameters"));
	form->out->failure(v, &f);
	fprintf(v->out.file, "(exit status %d)\n", (int)f.status);
	failure_clear(&f);
}

static bool show_verdict(const struct form *form, const struct view *v, sd_json_variant *reply)
{
	struct reply_verdict verdict;

	if (verdict_read(reply, &verdict) < 0)
		return false;
	verdict.target = strings_at(sd_json_variant_by_key(reply, "asked"), 0);
	form->out->verdict(v, &verdict);
	fprintf(v->out.file, "(exit status %d)\n", (int)verdict_status(&verdict));
	verdict_clear(&verdict);
	return true;
}

static bool show_checks(const struct form *form, const struct view *v, sd_json_variant *reply)
{
	struct checks checks;

	if (checks_read(reply, &checks) < 0)
		return false;
	form->out->checks(v, &checks);
	checks_clear(&checks);
	return true;
}

static bool show_flow(const struct form *form, const struct view *v, sd_json_variant *reply)
{
	sd_json_variant *json = sd_json_variant_by_key(reply, "flow");
	struct reply_flow flow;

	if (flow_read(json, &flow) < 0)
		return false;
	form->out->flow(v, &flow, json);
	return true;
}

static bool show(
	const struct form *form, const struct view *v, const char *command, sd_json_variant *reply)
{
	struct status status;
	struct changes changes = {};

	if (sd_json_variant_by_key(reply, "error")) {
		show_error(form, v, reply);
	} else if (strcmp(command, "diagnose") == 0) {
		return show_verdict(form, v, reply);
	} else if (strcmp(command, "doctor") == 0) {
		return show_checks(form, v, reply);
	} else if (strcmp(command, "watch") == 0) {
		return show_flow(form, v, reply);
	} else if (strcmp(command, "status") == 0 || strcmp(command, "edge") == 0) {
		if (status_read(reply, &status) < 0)
			return false;
		if (*command == 's')
			form->out->status(v, &status);
		else
			form->out->edge(v, &status.tunnel);
		status_clear(&status);
	} else {
		/* Confirm answers with nothing. */
		if (strcmp(command, "confirm") == 0)
			changes.raw = sd_json_variant_ref(reply);
		else if (changes_read(reply, &changes) < 0)
			return false;
		form->out->changes(v, command, &changes);
		changes_clear(&changes);
	}
	return true;
}

static bool printable(const char *text)
{
	for (; *text; text++)
		if (*text != '\n' && (*text < 0x20 || *text > 0x7e))
			return false;
	return true;
}

/* Escape sequences of colours, made visible. */
static void put_visible(FILE *out, const char *text)
{
	for (; *text; text++)
		if (*text == '\033')
			fputs("^[", out);
		else
			fputc(*text, out);
}

static bool run_form(
	const struct form *form, const char *command, sd_json_variant *reply, FILE *out)
{
	autofree char *text = nullptr;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct term term = {
		.file = f, .colour = form->terminal, .utf8 = form->terminal, .width = form->width};
	struct view view = {.out = term, .err = term, .verbose = form->verbose, .now_us = NOW_US};
	bool good = show(form, &view, command, reply);

	fclose(f);
	if (!good)
		fprintf(stderr, "the reply does not fit\n");
	if (!form->terminal && !printable(text)) {
		fprintf(stderr, "%s: a byte that is not printable\n", form->heading);
		good = false;
	}
	fprintf(out, "==== %s ====\n", form->heading);
	put_visible(out, text);
	return good;
}

/* What all forms make of the case; nullptr when something is wrong with it. */
static char *make_text(const char *path, const char *stem)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *reply = nullptr;
	char command[32];
	char *text = nullptr;
	size_t len;
	bool good = true;

	snprintf(command, sizeof(command), "%.*s", (int)strcspn(stem, "-"), stem);
	if (sd_json_parse_file(nullptr, path, 0, &reply, nullptr, nullptr) < 0)
		return nullptr;
	FILE *out = open_memstream(&text, &len);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (!forms[i].only || strncmp(stem, forms[i].only, strlen(forms[i].only)) == 0)
			good = run_form(&forms[i], command, reply, out) && good;
	fclose(out);
	if (!good) {
		free(text);
		return nullptr;
	}
	return text;
}

static void run_case(struct golden *g, const char *stem, const void *)
{
	char path[PATH_MAX];
	autofree char *text = make_text(golden_path(g, stem, ".json", path), stem);

	if (!text)
		fprintf(stderr, "%s: cannot be shown\n", stem);
	golden_check(g, stem, ".out", text);
}

int main(int argc, char **argv)
{
	struct golden g;

	if (!golden_begin(&g, argc, argv))
		return GOLDEN_USAGE;
	setenv("TZ", "UTC", 1);
	tzset();
	golden_each(&g, "*.json", run_case, nullptr);
	return golden_end(&g);
}
