/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_edge: the nodes of this edge, and which of their replicas carries them.
 */
#include "cli/change.h"
#include "cli/status_ask.h"
#include "lib/json.h"
#include "lib/xmalloc.h"
#include <string.h>

static enum exit_status fail_no_edge(struct cli *cli, const struct status *s)
{
	if (strcmp(s->phase, "up") != 0)
		return failure_set(&cli->failure, EXIT_DOWN,
			"meshgw is taken down, or not configured; see meshgw status");
	return failure_set(&cli->failure, EXIT_REFUSED,
		s->tunnel.set ? "this host is no edge, but a connector; see meshgw status"
			      : "this host is no edge: tunnel.edge is not configured");
}

enum exit_status cmd_edge_status(struct cli *cli)
{
	autojson sd_json_variant *reply = nullptr;
	struct status status;

	enum exit_status result = status_ask(cli, &reply, &status);
	if (result != EXIT_DONE)
		return result;
	if (!status.tunnel.edge.set) {
		result = fail_no_edge(cli, &status);
	} else {
		cli->out->edge(&cli->view, &status.tunnel);
		result = status.tunnel.attached ? EXIT_DONE : EXIT_UNHEALTHY;
	}
	status_clear(&status);
	return result;
}

static enum exit_status show_promoted(struct cli *cli, sd_json_variant *reply)
{
	static const sd_json_dispatch_field fields[] = {
		{"active", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct promoted, active), SD_JSON_MANDATORY},
		{"before", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct promoted, before), SD_JSON_NULLABLE},
		{},
	};
	struct promoted promoted = {.node = cli->argument, .raw = reply};

	if (sd_json_dispatch(reply, fields, SD_JSON_ALLOW_EXTENSIONS, &promoted) < 0)
		return failure_set(
			&cli->failure, EXIT_PROTOCOL, "the answer of meshgwd makes no sense");
	cli->out->promoted(&cli->view, &promoted);
	return EXIT_DONE;
}

enum exit_status cmd_edge_promote(struct cli *cli)
{
	autojson sd_json_variant *parameters = nullptr, *reply = nullptr;

	if (!cli->argument || !cli->second)
		return failure_set(&cli->failure, EXIT_USAGE,
			"edge promote needs a NODE and its REPLICA; meshgw edge status has all");
	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("node", cli->argument),
		    SD_JSON_BUILD_PAIR_STRING("replica", cli->second)) < 0)
		out_of_memory();
	const struct change change = {.method = "EdgePromote", .parameters = parameters};
	enum exit_status status = change_call(cli, &change, false, &reply);
	return status == EXIT_DONE ? show_promoted(cli, reply) : status;
}
