/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_fix: a repair that meshgwd knows. It is shown first, and done only when somebody at a
 * terminal, or the command line, says yes; and only if it still is what was shown, which meshgwd
 * tells by the digest.
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

/* The target is for the preview alone: what is done rests on the diagnosis that it shows. */
static enum exit_status call(struct cli *cli, const char *digest, sd_json_variant **reply)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *parameters = nullptr;
	bool preview = !digest;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("code", cli->argument),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    preview && cli->second, "target", SD_JSON_BUILD_STRING(cli->second)),
		    SD_JSON_BUILD_PAIR_BOOLEAN("preview", preview),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    !preview, "digest", SD_JSON_BUILD_STRING(digest))) < 0)
		out_of_memory();
	return change_call(cli,
		&(struct change){.method = "Fix", .parameters = parameters, .reads = preview},
		false, reply);
}

static enum exit_status read_reply(struct cli *cli, sd_json_variant *reply, struct changes *out)
{
	if (changes_read(reply, out) == 0)
		return EXIT_DONE;
	return failure_set(&cli->failure, EXIT_PROTOCOL, "the answer of meshgwd makes no sense");
}

static enum exit_status preview(struct cli *cli, struct changes *out)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *reply = nullptr;
	enum exit_status status = call(cli, nullptr, &reply);

	if (status == EXIT_DONE)
		status = read_reply(cli, reply, out);
	if (status == EXIT_DONE && !out->digest)
		status = failure_set(&cli->failure, EXIT_PROTOCOL,
			"meshgwd does not say what it has shown; is it of an older version?");
	return status;
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

static enum exit_status fail_consent(struct cli *cli, const struct changes *shown)
{
	failure_set(&cli->failure, EXIT_NO_CONSENT,
		"nothing was done: that takes a yes at a terminal, or --yes");
	cli->failure.parameters = sd_json_variant_ref(shown->raw);
	return EXIT_NO_CONSENT;
}

static enum exit_status ask_first(struct cli *cli, const struct changes *shown)
{
	bool for_people = cli->out == &out_text;

	if (for_people)
		cli->out->changes(&cli->view, "fix-preview", shown);
	if (for_people && !shown->operations.n)
		return EXIT_DONE;
	if (!for_people || !isatty(STDIN_FILENO) || !cli->view.err.width || !consents(cli))
		return fail_consent(cli, shown);
	return EXIT_DONE;
}

static enum exit_status perform(struct cli *cli, const char *digest)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *reply = nullptr;
	struct changes done = {};
	enum exit_status status = call(cli, digest, &reply);

	if (status == EXIT_DONE)
		status = read_reply(cli, reply, &done);
	if (status == EXIT_DONE)
		cli->out->changes(&cli->view, "fix", &done);
	changes_clear(&done);
	return status;
}

enum exit_status cmd_fix(struct cli *cli)
{
	bool asks = !(cli->given & CLI_YES);
	struct changes shown = {};
	enum exit_status status = check_arguments(cli);

	if (status == EXIT_DONE)
		status = preview(cli, &shown);
	if (status == EXIT_DONE && asks)
		status = ask_first(cli, &shown);
	if (status == EXIT_DONE && shown.operations.n)
		status = perform(cli, shown.digest);
	else if (status == EXIT_DONE && !asks)
		cli->out->changes(&cli->view, "fix", &shown);
	changes_clear(&shown);
	return status;
}
