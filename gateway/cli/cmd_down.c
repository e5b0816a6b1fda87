/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/change.h"

enum exit_status cmd_down(struct cli *cli)
{
	struct change change = {
		.method = "Down",
		.once = {.verb = {"down"}, .timeout_us = cli->timeout_us},
		.ends_hung = true,
	};

	return change_anyway(cli, &change);
}
