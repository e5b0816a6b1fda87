/* SPDX-License-Identifier: Apache-2.0 */
#include "golden.h"
#include "lib/own.h"
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool golden_begin(struct golden *g, int argc, char **argv)
{
	bool updating = argc == 3 && strcmp(argv[1], "--update") == 0;

	*g = (struct golden){.updating = updating};
	if (argc != 2 && !updating) {
		fprintf(stderr, "usage: %s [--update] FOLDER\n", argv[0]);
		return false;
	}
	g->folder = argv[argc - 1];
	return true;
}

int golden_end(const struct golden *g)
{
	printf("%d cases, %d failed\n", g->cases, g->failed);
	return g->failed || !g->cases ? EXIT_FAILURE : EXIT_SUCCESS;
}

const char *golden_path(
	const struct golden *g, const char *stem, const char *suffix, char path[static PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s%s", g->folder, stem, suffix);
	return path;
}

void golden_each(struct golden *g, const char *pattern, golden_run_fn *run, const void *arg)
{
	char path[PATH_MAX];
	glob_t found;

	if (glob(golden_path(g, pattern, "", path), 0, nullptr, &found) != 0) {
		fprintf(stderr, "no cases: %s\n", path);
		g->failed++;
		return;
	}
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char *stem = found.gl_pathv[i] + strlen(g->folder) + 1;
		*strrchr(stem, '.') = '\0';
		run(g, stem, arg);
	}
	globfree(&found);
}

char *golden_read(const char *path, size_t *len)
{
	autofclose FILE *in = fopen(path, "re");
	char *text = nullptr;
	size_t size;
	FILE *out = in ? open_memstream(&text, &size) : nullptr;

	if (!out)
		return nullptr;
	for (int c; (c = fgetc(in)) != EOF;)
		fputc(c, out);
	fclose(out);
	if (len)
		*len = size;
	return text;
}

static bool update(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");
	bool written = out && fputs(text, out) != EOF;

	if (out && fclose(out) != 0)
		written = false;
	if (!written)
		perror(path);
	return written;
}

static bool compare(const char *path, const char *text)
{
	autofree char *want = golden_read(path, nullptr);

	if (want && strcmp(want, text) == 0)
		return true;
	fprintf(stderr, "%s: expected\n%sgot\n%s", path, want ? want : "(no file)\n", text);
	return false;
}

void golden_check(struct golden *g, const char *stem, const char *suffix, const char *text)
{
	char path[PATH_MAX];

	golden_path(g, stem, suffix, path);
	g->cases++;
	if (!text || !(g->updating ? update : compare)(path, text))
		g->failed++;
}

struct plain {
	const char *from, *to;
	char *(*make_text)(const char *path);
};

static void run_plain(struct golden *g, const char *stem, const void *arg)
{
	const struct plain *p = arg;
	char path[PATH_MAX];
	autofree char *text = p->make_text(golden_path(g, stem, p->from, path));

	golden_check(g, stem, p->to, text);
}

int golden_main(int argc, char **argv, const char *from, const char *to,
	char *(*make_text)(const char *path))
{
	const struct plain p = {from, to, make_text};
	struct golden g;
	char pattern[32];

	if (!golden_begin(&g, argc, argv))
		return GOLDEN_USAGE;
	snprintf(pattern, sizeof(pattern), "*%s", from);
	golden_each(&g, pattern, run_plain, &p);
	return golden_end(&g);
}
