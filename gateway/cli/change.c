/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/change.h"
#include "cli/client.h"
#include "cli/hung.h"
#include "lib/api.h"
#include <stdlib.h>
#include <unistd.h>

constexpr unsigned ROUNDS = 3;

enum exit_status change_call(
	struct cli *cli, const struct change *change, bool wait, sd_json_variant **reply)
{
	struct client_call call = {
		.socket = API_CONTROL_SOCKET,
		.method = change->method,
		.parameters = change->parameters,
		.timeout_us = change->timeout_us ? change->timeout_us : cli->timeout_us,
		.wait = wait,
		.changes = !change->reads && !change->ends_hung,
		.waiting = change->waiting,
		.arg = change->arg,
	};

	failure_clear(&cli->failure);
	return client_call(&call, reply, &cli->failure);
}

static enum exit_status show(struct cli *cli, sd_json_variant *reply)
{
	struct changes changes;

	if (changes_read(reply, &changes) < 0)
		return failure_set(
			&cli->failure, EXIT_PROTOCOL, "the answer of meshgwd makes no sense");
	cli->out->changes(&cli->view, cli->command->name, &changes);
	changes_clear(&changes);
	return EXIT_DONE;
}

enum exit_status change_run(struct cli *cli, const struct change *change)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *reply = nullptr;
	enum exit_status status = change_call(cli, change, false, &reply);

	return status == EXIT_DONE ? show(cli, reply) : status;
}

static enum exit_status end_daemon(struct cli *cli)
{
	term_print(&cli->view.err, STYLE_PLAIN, "meshgw: %s; ending it", cli->failure.message);
	term_raw(&cli->view.err, STYLE_PLAIN, "\n");
	failure_clear(&cli->failure);
	return hung_end(&cli->failure);
}

static enum exit_status without_daemon(
	struct cli *cli, const struct change *change, bool *busy, sd_json_variant **reply)
{
	failure_clear(&cli->failure);
	/* A stand-in for the daemon, in tests, needs no root. */
	if (geteuid() != 0 && !getenv("MESHGWD"))
		return failure_set(&cli->failure, EXIT_PERMISSION,
			"meshgwd is not running, and %s without it needs root", cli->command->name);
	return once_run(&change->once, reply, busy, &cli->failure);
}

/* One round: the daemon, else its code. *again: something changed meanwhile, ask once more. */
static enum exit_status attempt(
	struct cli *cli, const struct change *change, bool *again, sd_json_variant **reply)
{
	bool wait = *again;

	*again = false;
	enum exit_status status = change_call(cli, change, wait, reply);
	if (status == EXIT_PROTOCOL && change->ends_hung) /* it may have died over the question */
		status = change_call(cli, change, false, reply);
	if (status == EXIT_TIMEOUT && change->ends_hung) {
		status = end_daemon(cli);
		if (status == EXIT_DONE)
			status = EXIT_UNREACHABLE;
	}
	if (status != EXIT_UNREACHABLE)
		return status;
	return without_daemon(cli, change, again, reply);
}

enum exit_status change_call_anyway(
	struct cli *cli, const struct change *change, sd_json_variant **reply)
{
	enum exit_status status = EXIT_DONE;
	bool again = false;

	for (unsigned round = 0; round == 0 || (again && round < ROUNDS); round++)
		status = attempt(cli, change, &again, reply);
	if (again)
		return failure_set(&cli->failure, EXIT_TIMEOUT,
			"meshgwd comes back and does not answer: run systemctl stop meshgwd first");
	return status;
}

enum exit_status change_anyway(struct cli *cli, const struct change *change)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *reply = nullptr;
	enum exit_status status = change_call_anyway(cli, change, &reply);

	return status == EXIT_DONE ? show(cli, reply) : status;
}
