/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_render: each CASE.yaml of a folder beside CASE.conf, the frr.conf that `meshgw frr render`
 * makes of it. The command itself runs, with its output in a file in memory.
 */
#include "cli/cli.h"
#include "golden.h"
#include <stdlib.h>

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

int main(int argc, char **argv)
{
	return golden_main(argc, argv, ".yaml", ".conf", render);
}
