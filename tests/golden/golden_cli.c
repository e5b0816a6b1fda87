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
#include "lib/own.h"
#include <dirent.h>
#include <limits.h>
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
	} else if (strcmp(command, "status") == 0) {
		if (status_read(reply, &status) < 0)
			return false;
		form->out->status(v, &status);
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
static char *run_case(const char *path, const char *name)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *reply = nullptr;
	char command[32];
	char *text = nullptr;
	size_t len;
	bool good = true;

	snprintf(command, sizeof(command), "%.*s", (int)strcspn(name, "-"), name);
	if (sd_json_parse_file(nullptr, path, 0, &reply, nullptr, nullptr) < 0)
		return nullptr;
	FILE *out = open_memstream(&text, &len);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (!forms[i].only || strncmp(name, forms[i].only, strlen(forms[i].only)) == 0)
			good = run_form(&forms[i], command, reply, out) && good;
	fclose(out);
	if (!good) {
		free(text);
		return nullptr;
	}
	return text;
}

/* nullptr when there is no such file. */
static char *read_text(const char *path)
{
	char *text = nullptr;
	size_t size = 0;
	FILE *f = fopen(path, "re");

	if (!f)
		return nullptr;
	if (getdelim(&text, &size, '\0', f) < 0) {
		free(text);
		text = nullptr;
	}
	fclose(f);
	return text;
}

static bool compare(const char *path, const char *name, const char *text)
{
	autofree char *want = read_text(path);

	if (want && strcmp(want, text) == 0)
		return true;
	fprintf(stderr, "%s: expected\n%sgot\n%s", name, want ? want : "(no file)\n", text);
	return false;
}

static bool update(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return false;
	bool written = fputs(text, f) >= 0;
	return fclose(f) == 0 && written;
}

static bool check(const char *dir, const char *name, bool updating)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	autofree char *text = run_case(path, name);
	if (!text) {
		fprintf(stderr, "%s: cannot be shown\n", name);
		return false;
	}
	snprintf(path, sizeof(path), "%s/%.*s.out", dir, (int)strcspn(name, "."), name);
	return updating ? update(path, text) : compare(path, name, text);
}

static int is_case(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && strcmp(dot, ".json") == 0;
}

int main(int argc, char **argv)
{
	bool updating = argc == 3 && strcmp(argv[1], "--update") == 0;
	struct dirent **cases;
	int failed = 0;

	if (argc != 2 && !updating)
		return 2;
	setenv("TZ", "UTC", 1);
	tzset();
	const char *dir = argv[argc - 1];
	int n = scandir(dir, &cases, is_case, alphasort);
	for (int i = 0; i < n; i++) {
		failed += !check(dir, cases[i]->d_name, updating);
		free(cases[i]);
	}
	if (n >= 0)
		free(cases);
	printf("%d cases, %d failed\n", n, failed);
	return n <= 0 || failed > 0;
}
