/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_render: each CASE.yaml of a folder beside CASE.conf, the frr.conf that `meshgw frr render`
 * makes of it. The command itself runs, with its output in a file in memory.
 */
#include "cli/cli.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static char *render(const char *path)
{
	char *text = nullptr;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	static const struct command command = {.name = "frr"};
	struct cli cli = {.command = &command,
		.argument = path,
		.out = &out_text,
		.view = {.out = {.file = f}, .err = {.file = f}}};

	if (!f)
		abort();
	if (cmd_frr(&cli) != EXIT_DONE)
		fprintf(f, "%s\n", cli.failure.message);
	failure_clear(&cli.failure);
	fclose(f);
	return text;
}

static int update(const char *path, const char *text)
{
	autofclose FILE *f = fopen(path, "we");

	if (!f || fputs(text, f) == EOF) {
		perror(path);
		return 1;
	}
	return 0;
}

static int compare(const char *path, const char *text)
{
	autofclose FILE *f = fopen(path, "re");
	autofree char *want = xcalloc(1 << 16, 1);

	if (f)
		(void)!fread(want, 1, (1 << 16) - 1, f);
	if (f && strcmp(want, text) == 0)
		return 0;
	fprintf(stderr, "%s: expected\n%sgot\n%s", path, want, text);
	return 1;
}

int main(int argc, char **argv)
{
	bool writes = argc == 3 && strcmp(argv[1], "--update") == 0;
	const char *folder = argv[argc - 1];
	DIR *dir = argc > 1 ? opendir(folder) : nullptr;
	int failed = 0, cases = 0;

	if (!dir) {
		perror("folder");
		return 2;
	}
	for (const struct dirent *e; (e = readdir(dir));) {
		char path[PATH_MAX];
		size_t stem = strcspn(e->d_name, ".");
		if (strcmp(e->d_name + stem, ".yaml") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		autofree char *text = render(path);
		snprintf(path, sizeof(path), "%s/%.*s.conf", folder, (int)stem, e->d_name);
		failed += writes ? update(path, text) : compare(path, text);
		cases++;
	}
	closedir(dir);
	printf("%d cases, %d failed\n", cases, failed);
	return failed || !cases;
}
