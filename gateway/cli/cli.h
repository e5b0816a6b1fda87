/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * cli: a command line, and what the commands share.
 *
 * main.c is the table of commands; each has a function cmd_NAME, which returns an exit status
 * and has filled in `failure` if that is the reason. What it shows goes through `out`. The table
 * is also what help, the completion test and the man page test read.
 */
#include "cli/failure.h"
#include "cli/out.h"

#define CLI_CONFIG_FILE "/etc/meshgw/meshgw.yaml"

/* Options that only some commands take. */
enum {
	CLI_PRINT = 1,
	CLI_CONFIRM = 2,
	CLI_DOWN = 4,
	CLI_VERBOSE = 8,
	CLI_FROM = 16,
	CLI_PASSIVE = 32,
	CLI_LIMIT = 64,
	CLI_BUNDLE = 128,
	CLI_YES = 256,
};

struct cli {
	const struct command *commands;
	const struct command *command;
	const char *argument; /* FILE, COMMAND, TARGET or CODE, nullptr when not given */
	const char *second;   /* likewise, behind it */
	unsigned given;       /* CLI_… */
	uint64_t confirm_s;   /* with CLI_CONFIRM */
	uint64_t limit_ms;    /* with CLI_LIMIT */
	const char *from;     /* with CLI_FROM */
	const char *bundle;   /* with CLI_BUNDLE */
	uint64_t timeout_us;
	const struct out *out;
	struct view view;
	struct failure failure;
};

struct command {
	const char *name;
	const char *verb;      /* a second word that must follow; nullptr = none. Rows of the same
				  name follow each other. */
	const char *arguments; /* "[FILE]", with the verb */
	const char *summary;
	unsigned options; /* CLI_… */
	int max_arguments;
	enum exit_status (*run)(struct cli *cli);
};

/* Fills in *cli from the command line. EXIT_DONE, or EXIT_USAGE and the failure. */
enum exit_status cli_parse(struct cli *cli, const struct command *commands, int argc, char **argv);
/* Prints the failure if there is one, flushes, releases; returns the program's exit status. */
int cli_finish(struct cli *cli, enum exit_status status);

/* The first of this name. */
const struct command *command_find(const struct command *table, const char *name);
/* The row behind, if it has the same name; else nullptr. */
const struct command *command_next(const struct command *command);

/* One option, for help. Rows end with a nullptr name. */
struct cli_option {
	const char *name;
	const char *argument; /* nullptr = none */
	const char *summary;
	unsigned bit; /* CLI_…, 0 = every command takes it */
	char letter;  /* 0 = none */
};
extern const struct cli_option cli_options[];

enum exit_status cmd_check(struct cli *cli);
enum exit_status cmd_plan(struct cli *cli);
enum exit_status cmd_apply(struct cli *cli);
enum exit_status cmd_confirm(struct cli *cli);
enum exit_status cmd_undo(struct cli *cli);
enum exit_status cmd_status(struct cli *cli);
enum exit_status cmd_down(struct cli *cli);
enum exit_status cmd_bundle(struct cli *cli);
enum exit_status cmd_diagnose(struct cli *cli);
enum exit_status cmd_doctor(struct cli *cli);
enum exit_status cmd_fix(struct cli *cli);
enum exit_status cmd_watch(struct cli *cli);
enum exit_status cmd_edge_status(struct cli *cli);
enum exit_status cmd_edge_promote(struct cli *cli);
enum exit_status cmd_tunnel_pin(struct cli *cli);
enum exit_status cmd_version(struct cli *cli);
enum exit_status cmd_frr(struct cli *cli);
enum exit_status cmd_help(struct cli *cli);
