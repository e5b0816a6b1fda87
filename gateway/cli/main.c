/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include <locale.h>

static const struct command commands[] = {
	{
		.name = "check",
		.arguments = "[--print] [FILE]",
		.summary = "Look for mistakes in a configuration, without a daemon",
		.options = CLI_PRINT,
		.max_arguments = 1,
		.run = cmd_check,
	},
	{
		.name = "plan",
		.arguments = "[FILE | --down]",
		.summary = "Show what apply, or down, would change",
		.options = CLI_DOWN,
		.max_arguments = 1,
		.run = cmd_plan,
	},
	{
		.name = "apply",
		.arguments = "[--confirm SECONDS] [FILE]",
		.summary = "Take over a configuration",
		.options = CLI_CONFIRM,
		.max_arguments = 1,
		.run = cmd_apply,
	},
	{
		.name = "confirm",
		.summary = "Keep the change that waits for its confirmation",
		.run = cmd_confirm,
	},
	{
		.name = "undo",
		.summary = "Go back to the configuration before",
		.run = cmd_undo,
	},
	{
		.name = "status",
		.arguments = "[--verbose]",
		.summary = "Show what runs, what is wanted and what is wrong",
		.options = CLI_VERBOSE,
		.run = cmd_status,
	},
	{
		.name = "diagnose",
		.arguments = "[--from WHO] [--passive] [--limit MS] TARGET | --from-bundle BUNDLE",
		.summary = "Find out why a flow of the mesh does not complete",
		.options = CLI_FROM | CLI_PASSIVE | CLI_LIMIT | CLI_BUNDLE,
		.max_arguments = 1,
		.run = cmd_diagnose,
	},
	{
		.name = "doctor",
		.summary = "Look for what is wrong with this node, without a target",
		.run = cmd_doctor,
	},
	{
		.name = "fix",
		.arguments = "[--yes] CODE [TARGET]",
		.summary = "Repair what a verdict names, after asking",
		.options = CLI_YES,
		.max_arguments = 2,
		.run = cmd_fix,
	},
	{
		.name = "watch",
		.arguments = "[--verbose]",
		.summary = "Show flows of the mesh that fail, as they do",
		.options = CLI_VERBOSE,
		.run = cmd_watch,
	},
	{
		.name = "bundle",
		.arguments = "[FILE]",
		.summary = "Write the last diagnosis and the state of this node to a tar",
		.max_arguments = 1,
		.run = cmd_bundle,
	},
	{
		.name = "down",
		.summary = "Remove everything of meshgw until the next apply",
		.run = cmd_down,
	},
	{
		.name = "frr",
		.verb = "render",
		.arguments = "render [FILE]",
		.summary = "Print a frr.conf that says what FRRouting would be told",
		.max_arguments = 1,
		.run = cmd_frr,
	},
	{
		.name = "edge",
		.verb = "status",
		.arguments = "status",
		.summary = "Show the nodes of this edge, and who carries them",
		.run = cmd_edge_status,
	},
	{
		.name = "edge",
		.verb = "promote",
		.arguments = "promote NODE REPLICA",
		.summary = "Make a replica the active one of its node",
		.max_arguments = 2,
		.run = cmd_edge_promote,
	},
	{
		.name = "tunnel",
		.verb = "pin",
		.arguments = "pin FILE",
		.summary = "Print the pin of a certificate or key, for the other end",
		.max_arguments = 1,
		.run = cmd_tunnel_pin,
	},
	{
		.name = "version",
		.summary = "Show the version of this program",
		.run = cmd_version,
	},
	{
		.name = "help",
		.arguments = "[COMMAND]",
		.summary = "Show the commands, or one of them",
		.max_arguments = 1,
		.run = cmd_help,
	},
	{},
};

int main(int argc, char **argv)
{
	struct cli cli = {};

	setlocale(LC_CTYPE, "");
	enum exit_status status = cli_parse(&cli, commands, argc, argv);
	if (status == EXIT_DONE)
		status = cli.command->run(&cli);
	return cli_finish(&cli, status);
}
