/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_config: each *.yaml of a folder beside what becomes of it.
 *
 * CASE.yaml parses and prints as CASE.ok, which must itself parse to an equal config and print to
 * the same bytes; or it has exactly the mistakes of CASE.err, one "FILE:LINE:COL: path: message" a
 * line. With --update that of CASE.ok and CASE.err which is not written is removed.
 */
#include "conf/config.h"
#include "conf/print.h"
#include "golden.h"
#include "lib/own.h"
#include <errno.h>
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

static char *diags_text(const char *stem, const struct config_diags *diags)
{
	char *text = nullptr;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < diags->n; i++) {
		const struct config_diag *d = &diags->list[i];
		fprintf(out, "%s.yaml:%u:%u: %s%s%s\n", stem, d->mark.line, d->mark.column, d->path,
			d->path[0] ? ": " : "", d->message);
	}
	fclose(out);
	return text;
}

/* What becomes of the text of a case. */
static struct result judge(const char *stem, const char *text, size_t len)
{
	struct config *config = nullptr;
	struct config_diags diags = {};
	struct result result = {.good = config_parse(text, len, &config, &diags) == 0};

	result.text = result.good ? print_text(config) : diags_text(stem, &diags);
	if (!result.text)
		result.broken = "cannot be printed";
	else if (result.good && diags.n > 0)
		result.broken = "parsed, and has mistakes";
	else if (result.good)
		result.broken = round_trip(config, result.text);
	else if (diags.n == 0)
		result.broken = "refused without a reason";
	config_diags_clear(&diags);
	config_free(config);
	return result;
}

static void remove_file(const char *path)
{
	if (remove(path) < 0 && errno != ENOENT)
		perror(path);
}

static void run_case(struct golden *g, const char *stem, const void *)
{
	char path[PATH_MAX];
	struct err err = {};
	autofree char *yaml = nullptr;
	struct result result = {.broken = "cannot be read"};
	size_t len;

	if (config_read_file(golden_path(g, stem, ".yaml", path), &yaml, &len, &err) < 0)
		fprintf(stderr, "%s\n", err.msg);
	else
		result = judge(stem, yaml, len);
	autofree char *text = result.text;
	if (result.broken)
		fprintf(stderr, "%s: %s\n%s", stem, result.broken, text ? text : "");
	else if (g->updating)
		remove_file(golden_path(g, stem, result.good ? ".err" : ".ok", path));
	golden_check(g, stem, result.good ? ".ok" : ".err", result.broken ? nullptr : text);
}

int main(int argc, char **argv)
{
	struct golden g;

	if (!golden_begin(&g, argc, argv))
		return GOLDEN_USAGE;
	golden_each(&g, "*.yaml", run_case, nullptr);
	return golden_end(&g);
}
