/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/status_ask.h"
#include "lib/json.h"
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
	autojson sd_json_variant *reply = nullptr;
	struct status status;

	enum exit_status result = status_ask(cli, &reply, &status);
	if (result != EXIT_DONE)
		return result;
	cli->out->status(&cli->view, &status);
	result = judge(&status);
	status_clear(&status);
	return result;
}
