/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/change.h"
#include "cli/progress.h"
#include "cli/reply_node.h"

enum exit_status cmd_doctor(struct cli *cli)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *reply = nullptr;
	struct progress progress;
	struct change change = {
		.method = "Doctor",
		.reads = true,
		.once = {.verb = {"doctor"}, .timeout_us = cli->timeout_us},
		.waiting = progress_tick,
		.arg = &progress,
	};
	struct checks checks;

	progress_begin(&progress, &cli->view.err, "Looking at this node");
	enum exit_status status = change_call_anyway(cli, &change, &reply);
	progress_end(&progress);
	if (status != EXIT_DONE)
		return status;
	if (checks_read(reply, &checks) < 0)
		return failure_set(
			&cli->failure, EXIT_PROTOCOL, "the answer of meshgwd makes no sense");
	cli->out->checks(&cli->view, &checks);
	status = checks_count(&checks, "fail") ? EXIT_UNHEALTHY : EXIT_DONE;
	checks_clear(&checks);
	return status;
}
