/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_fix: a repair that meshgwd knows. It is shown first, and done only when somebody at a
 * terminal, or the command line, says yes.
 */
#include "cli/change.h"
#include "conf/suggest.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "verdict/verdict.h"
#include <string.h>
#include <unistd.h>

#define LEFTOVERS "leftovers" /* what others left behind; no code of a verdict */

static enum exit_status fail_code(struct cli *cli)
{
	struct suggestion best = {};

	suggest_offer(&best, cli->argument, LEFTOVERS);
	for (enum code c = 0; c < CODES; c++)
		if (code_row(c)->fix)
			suggest_offer(&best, cli->argument, code_str(c));
	if (best.word)
		return failure_set(&cli->failure, EXIT_USAGE,
			"there is no code \"%s\"; did you mean %s?", cli->argument, best.word);
	return failure_set(&cli->failure, EXIT_USAGE,
		"there is no code \"%s\"; meshgw-codes(7) has all", cli->argument);
}

static enum exit_status check_arguments(struct cli *cli)
{
	struct flow flow;
	struct err err;

	if (!cli->argument)
		return failure_set(&cli->failure, EXIT_USAGE,
			"fix needs the CODE of a verdict, or " LEFTOVERS "; see meshgw help fix");
	if (strcmp(cli->argument, LEFTOVERS) != 0 && code_parse(cli->argument) == CODES)
		return fail_code(cli);
	if (cli->second && flow_parse(cli->second, &flow, &err) < 0)
		return failure_set(&cli->failure, EXIT_USAGE, "%s", err.msg);
	return EXIT_DONE;
}

static enum exit_status call(struct cli *cli, bool preview, sd_json_variant **reply)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *parameters = nullptr;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("code", cli->argument),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    cli->second != nullptr, "target", SD_JSON_BUILD_STRING(cli->second)),
		    SD_JSON_BUILD_PAIR_BOOLEAN("preview", preview)) < 0)
		out_of_memory();
	return change_call(cli,
		&(struct change){.method = "Fix", .parameters = parameters, .reads = preview},
		false, reply);
}

static enum exit_status show(
	struct cli *cli, const struct out *out, const char *verb, sd_json_variant *reply, size_t *n)
{
	struct changes changes;

	if (changes_read(reply, &changes) < 0)
		return failure_set(
			&cli->failure, EXIT_PROTOCOL, "the answer of meshgwd makes no sense");
	*n = changes.operations.n;
	if (out)
		out->changes(&cli->view, verb, &changes);
	changes_clear(&changes);
	return EXIT_DONE;
}

static bool consents(struct cli *cli)
{
	autofree char *line = nullptr;
	size_t size = 0;

	fflush(cli->view.out.file);
	term_raw(&cli->view.err, STYLE_BOLD, "Do this? [y/N] ");
	fflush(cli->view.err.file);
	ssize_t n = getline(&line, &size, stdin);
	return n >= 0 && (strcasecmp(line, "y\n") == 0 || strcasecmp(line, "yes\n") == 0);
}

static enum exit_status fail_consent(struct cli *cli, sd_json_variant *preview)
{
	failure_set(&cli->failure, EXIT_NO_CONSENT,
		"nothing was done: that takes a yes at a terminal, or --yes");
	cli->failure.parameters = sd_json_variant_ref(preview);
	return EXIT_NO_CONSENT;
}

static enum exit_status ask_first(struct cli *cli, bool *nothing)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *reply = nullptr;
	bool for_people = cli->out == &out_text;
	size_t n = 0;
	enum exit_status status = call(cli, true, &reply);

	if (status == EXIT_DONE)
		status = show(cli, for_people ? cli->out : nullptr, "fix-preview", reply, &n);
	*nothing = status == EXIT_DONE && for_people && n == 0;
	if (status != EXIT_DONE || *nothing)
		return status;
	if (!for_people || !isatty(STDIN_FILENO) || !cli->view.err.width || !consents(cli))
		return fail_consent(cli, reply);
	return EXIT_DONE;
}

enum exit_status cmd_fix(struct cli *cli)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *reply = nullptr;
	bool nothing = false;
	size_t n;
	enum exit_status status = check_arguments(cli);

	if (status == EXIT_DONE && !(cli->given & CLI_YES))
		status = ask_first(cli, &nothing);
	if (status != EXIT_DONE || nothing)
		return status;
	status = call(cli, false, &reply);
	return status == EXIT_DONE ? show(cli, cli->out, "fix", reply, &n) : status;
}
