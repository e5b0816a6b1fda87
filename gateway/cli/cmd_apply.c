/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/change.h"
#include "cli/input.h"
#include "lib/xmalloc.h"

enum exit_status cmd_apply(struct cli *cli)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *parameters = nullptr;
	struct input in;
	enum exit_status status = input_read(cli->argument, &in, &cli->failure);

	if (status == EXIT_DONE) {
		if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("content", in.text),
			    SD_JSON_BUILD_PAIR_STRING("name", in.name),
			    SD_JSON_BUILD_PAIR_CONDITION(cli->given & CLI_CONFIRM, "confirmSeconds",
				    SD_JSON_BUILD_UNSIGNED(cli->confirm_s))) < 0)
			out_of_memory();
		status = change_run(
			cli, &(struct change){.method = "Apply", .parameters = parameters});
	}
	input_clear(&in);
	return status;
}

enum exit_status cmd_confirm(struct cli *cli)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *reply = nullptr;
	struct change change = {.method = "Confirm"};
	enum exit_status status = change_call(cli, &change, false, &reply);

	/* Confirm answers with nothing. */
	if (status == EXIT_DONE)
		cli->out->changes(&cli->view, cli->command->name, &(struct changes){.raw = reply});
	return status;
}

enum exit_status cmd_undo(struct cli *cli)
{
	return change_run(cli, &(struct change){.method = "Undo"});
}
