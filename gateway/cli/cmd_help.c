/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

enum exit_status cmd_help(struct cli *cli)
{
	const struct command *command = nullptr;

	if (cli->argument && !(command = command_find(cli->commands, cli->argument)))
		return failure_set(&cli->failure, EXIT_USAGE,
			"unknown command \"%s\"; see meshgw help", cli->argument);
	cli->out->help(&cli->view, cli->commands, command);
	return EXIT_DONE;
}

enum exit_status cmd_version(struct cli *cli)
{
	cli->out->version(&cli->view, MESHGW_VERSION);
	return EXIT_DONE;
}
