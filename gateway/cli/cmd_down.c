/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/change.h"
#include "daemon/frr_saved.h"

/* The daemon cannot read that file, root can. */
static void warn_of_saved(const struct cli *cli)
{
	const struct term *t = &cli->view.err;

	if (frr_saved_look(FRR_SAVED_FILE) <= 0)
		return;
	fflush(cli->view.out.file);
	term_raw(t, STYLE_WARN, "meshgw:");
	term_raw(t, STYLE_PLAIN,
		" frr-saved: " FRR_SAVED_FILE
		" still holds what meshgw had announced, and FRRouting's next start brings it back; "
		"save without it: vtysh -c 'write memory'\n");
}

enum exit_status cmd_down(struct cli *cli)
{
	struct change change = {
		.method = "Down",
		.once = {.verb = {"down"}, .timeout_us = cli->timeout_us},
		.ends_hung = true,
	};
	enum exit_status status = change_anyway(cli, &change);

	if (status == EXIT_DONE)
		warn_of_saved(cli);
	return status;
}
