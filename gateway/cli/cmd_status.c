/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/client.h"
#include "lib/api.h"
#include <string.h>

/* The daemon runs and has answered; is the gateway well? */
static enum exit_status judge(const struct status *s)
{
	if (strcmp(s->phase, "up") != 0)
		return EXIT_DOWN;
	return status_count_conditions(s, "error") ? EXIT_UNHEALTHY : EXIT_DONE;
}

enum exit_status cmd_status(struct cli *cli)
{
	struct client_call call = {
		.socket = API_STATUS_SOCKET,
		.method = "GetStatus",
		.timeout_us = cli->timeout_us,
	};
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *reply = nullptr;
	struct status status;

	enum exit_status result = client_call(&call, &reply, &cli->failure);
	if (result != EXIT_DONE)
		return result;
	if (status_read(reply, &status) < 0)
		return failure_set(
			&cli->failure, EXIT_PROTOCOL, "the answer of meshgwd makes no sense");
	cli->out->status(&cli->view, &status);
	result = judge(&status);
	status_clear(&status);
	return result;
}
