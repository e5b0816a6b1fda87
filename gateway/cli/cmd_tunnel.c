/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_tunnel: what an operator needs who configures the tunnel's ends.
 *
 * `pin` reads no certificate itself: meshgw-tunnel does, without privileges. $MESHGW_TUNNEL names
 * another program than the installed one.
 */
#include "cli/child.h"
#include "cli/cli.h"
#include "cli/input.h"
#include "lib/own.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *tunnel_program(void)
{
	const char *program = getenv("MESHGW_TUNNEL");

	return program ? program : MESHGW_LIBEXECDIR "/meshgw-tunnel";
}

static enum exit_status fail_run(struct cli *cli, int r)
{
	if (r == -ETIME)
		return failure_set(&cli->failure, EXIT_TIMEOUT, "%s --pin did not end in time",
			tunnel_program());
	return failure_set(&cli->failure, EXIT_REFUSED, "%s cannot be run: %s; is it installed?",
		tunnel_program(), strerror(-r));
}

/* One line, of which something has to remain. */
static bool is_pin(char *output)
{
	char *end = strchr(output, '\n');

	if (!end || end[1])
		return false;
	*end = '\0';
	return strncmp(output, "sha256/", 7) == 0 && !strpbrk(output, " \t\r\033");
}

static enum exit_status take_answer(
	struct cli *cli, const struct input *in, const struct child_result *result)
{
	if (result->code != 0 && *result->last_words)
		return failure_set(
			&cli->failure, EXIT_REFUSED, "%s: %s", in->name, result->last_words);
	if (result->code != 0)
		return failure_set(&cli->failure, EXIT_REFUSED,
			"%s --pin failed with exit status %d", tunnel_program(), result->code);
	if (!is_pin(result->output))
		return failure_set(&cli->failure, EXIT_PROTOCOL,
			"the answer of %s --pin makes no sense", tunnel_program());
	cli->out->pin(&cli->view, result->output);
	return EXIT_DONE;
}

static enum exit_status ask(struct cli *cli, const struct input *in)
{
	const char *const argv[] = {tunnel_program(), "--pin", nullptr};
	struct child_result result;

	int r = child_run(&(struct child){.argv = argv,
				  .input = in->text,
				  .input_len = in->len,
				  .timeout_us = cli->timeout_us},
		&result);
	if (r < 0)
		return fail_run(cli, r);
	autofree char *output = result.output;
	return take_answer(cli, in, &result);
}

enum exit_status cmd_tunnel_pin(struct cli *cli)
{
	struct input in;

	if (!cli->argument)
		return failure_set(&cli->failure, EXIT_USAGE,
			"tunnel pin needs the FILE of a certificate or key, or - for standard "
			"input");
	enum exit_status status = input_load(cli->argument,
		"give the file of a certificate or key, such as certificate_file under tunnel: in "
		"meshgw.yaml, or - for standard input",
		&in, &cli->failure);
	if (status == EXIT_DONE)
		status = ask(cli, &in);
	input_clear(&in);
	return status;
}
