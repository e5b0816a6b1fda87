/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/change.h"
#include "cli/input.h"
#include "lib/xmalloc.h"

static enum exit_status plan_file(struct cli *cli, const struct input *in)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *parameters = nullptr;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("content", in->text),
		    SD_JSON_BUILD_PAIR_STRING("name", in->name)) < 0)
		out_of_memory();
	return change_anyway(cli, &(struct change){
					  .method = "Plan",
					  .reads = true,
					  .parameters = parameters,
					  .once = {.verb = {"plan"},
						  .content = in->text,
						  .content_len = in->len,
						  .timeout_us = cli->timeout_us},
				  });
}

static enum exit_status plan_down(struct cli *cli)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *parameters = nullptr;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_BOOLEAN("down", true)) < 0)
		out_of_memory();
	return change_anyway(
		cli, &(struct change){
			     .method = "Plan",
			     .reads = true,
			     .parameters = parameters,
			     .once = {.verb = {"plan", "--down"}, .timeout_us = cli->timeout_us},
		     });
}

enum exit_status cmd_plan(struct cli *cli)
{
	struct input in;

	if (cli->given & CLI_DOWN && cli->argument)
		return failure_set(&cli->failure, EXIT_USAGE, "plan takes either a FILE or --down");
	if (cli->given & CLI_DOWN)
		return plan_down(cli);
	enum exit_status status = input_read(cli->argument, &in, &cli->failure);
	if (status == EXIT_DONE)
		status = plan_file(cli, &in);
	input_clear(&in);
	return status;
}
