/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/input.h"
#include "conf/print.h"
#include "lib/own.h"
#include "lib/xmalloc.h"

static char *canonical(const struct config *config)
{
	char *text = nullptr;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f || config_print(config, f) < 0 || fclose(f) != 0)
		out_of_memory();
	return text;
}

enum exit_status cmd_check(struct cli *cli)
{
	struct input in;
	enum exit_status status = input_read(cli->argument, &in, &cli->failure);

	if (status == EXIT_DONE) {
		autofree char *text = cli->given & CLI_PRINT ? canonical(in.config) : nullptr;
		cli->out->checked(&cli->view, in.name, text);
	}
	input_clear(&in);
	return status;
}
