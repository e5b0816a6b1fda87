/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_config: each *.yaml of a folder beside what becomes of it.
 *
 * CASE.yaml parses and prints as CASE.ok, which must itself parse to an equal config and print to
 * the same bytes; or it has exactly the mistakes of CASE.err, one "FILE:LINE:COL: path: message" a
 * line. With --update what came out is written to CASE.ok or CASE.err and the other is removed.
 */
#include "conf/config.h"
#include "conf/print.h"
#include "lib/own.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct result {
	bool good;
	char *text;         /* of the .ok or the .err; owned */
	const char *broken; /* a property that does not hold, or nullptr */
};

/* nullptr if printing fails. */
static char *print_text(const struct config *config)
{
	char *text = nullptr;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int r = config_print(config, out);

	if (fclose(out) != 0 || r < 0) {
		free(text);
		return nullptr;
	}
	return text;
}

/* Text of a good config must be a fixpoint of parsing and printing. */
static const char *round_trip(const struct config *config, const char *text)
{
	struct config *again = nullptr;
	struct config_diags diags = {};
	int r = config_parse(text, strlen(text), &again, &diags);

	config_diags_clear(&diags);
	if (r < 0)
		return "what is printed does not parse";
	autofree char *twice = print_text(again);
	const char *broken = nullptr;
	if (!config_equal(config, again))
		broken = "what is printed parses to something else";
	else if (!twice || strcmp(text, twice) != 0)
		broken = "printing twice gives different texts";
	config_free(again);
	return broken;
}

static char *diags_text(const char *name, const struct config_diags *diags)
{
	char *text = nullptr;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < diags->n; i++) {
		const struct config_diag *d = &diags->list[i];
		fprintf(out, "%s:%u:%u: %s%s%s\n", name, d->mark.line, d->mark.column, d->path,
			d->path[0] ? ": " : "", d->message);
	}
	fclose(out);
	return text;
}

static int run_case(const char *dir, const char *name, struct result *result)
{
	char path[PATH_MAX];
	struct err err = {};
	autofree char *text = nullptr;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (config_read_file(path, &text, &len, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	struct config *config = nullptr;
	struct config_diags diags = {};
	*result = (struct result){.good = config_parse(text, len, &config, &diags) == 0};
	result->text = result->good ? print_text(config) : diags_text(name, &diags);
	if (!result->text)
		result->broken = "cannot be printed";
	else if (result->good && diags.n > 0)
		result->broken = "parsed, and has mistakes";
	else if (result->good)
		result->broken = round_trip(config, result->text);
	else if (diags.n == 0)
		result->broken = "refused without a reason";
	config_diags_clear(&diags);
	config_free(config);
	return 0;
}

/* "dir/stem.suffix" of dir and "stem.yaml". */
static const char *beside(char *path, const char *dir, const char *name, const char *suffix)
{
	snprintf(path, PATH_MAX, "%s/%.*s%s", dir, (int)(strlen(name) - strlen(".yaml")), name,
		suffix);
	return path;
}

static int update(const char *dir, const char *name, const struct result *result)
{
	char path[PATH_MAX];

	if (remove(beside(path, dir, name, result->good ? ".err" : ".ok")) < 0 && errno != ENOENT)
		perror(path);
	FILE *out = fopen(beside(path, dir, name, result->good ? ".ok" : ".err"), "we");
	bool written = out && fputs(result->text, out) != EOF;
	if (out && fclose(out) != 0)
		written = false;
	if (!written)
		perror(path);
	return written ? 0 : -1;
}

static int compare(const char *dir, const char *name, const struct result *result)
{
	char path[PATH_MAX];
	struct err err = {};
	autofree char *want = nullptr;
	size_t len;

	if (config_read_file(beside(path, dir, name, result->good ? ".ok" : ".err"), &want, &len,
		    &err) < 0) {
		fprintf(stderr, "%s\n%s\n", err.msg, result->text);
		return -1;
	}
	if (strcmp(want, result->text) != 0) {
		fprintf(stderr, "%s: expected\n%sgot\n%s", name, want, result->text);
		return -1;
	}
	return 0;
}

static int is_case(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

static int check(const char *dir, const char *name, bool updating)
{
	struct result result;

	if (run_case(dir, name, &result) < 0)
		return -1;
	autofree char *text = result.text;
	if (result.broken) {
		fprintf(stderr, "%s: %s\n%s", name, result.broken, text ? text : "");
		return -1;
	}
	return updating ? update(dir, name, &result) : compare(dir, name, &result);
}

int main(int argc, char **argv)
{
	bool updating = argc == 3 && strcmp(argv[1], "--update") == 0;
	struct dirent **cases;
	int failed = 0;

	if (argc != 2 && !updating)
		return 2;
	const char *dir = argv[argc - 1];
	int n = scandir(dir, &cases, is_case, alphasort);
	for (int i = 0; i < n; i++) {
		failed += check(dir, cases[i]->d_name, updating) < 0;
		free(cases[i]);
	}
	if (n >= 0)
		free(cases);
	printf("%d cases, %d failed\n", n, failed);
	return n <= 0 || failed > 0;
}
