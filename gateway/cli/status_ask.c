/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/status_ask.h"
#include "cli/client.h"
#include "lib/api.h"
#include "lib/json.h"

enum exit_status status_ask(struct cli *cli, sd_json_variant **reply, struct status *out)
{
	const struct client_call call = {
		.socket = API_STATUS_SOCKET,
		.method = "GetStatus",
		.timeout_us = cli->timeout_us,
	};
	autojson sd_json_variant *answer = nullptr;

	enum exit_status result = client_call(&call, &answer, &cli->failure);
	if (result != EXIT_DONE)
		return result;
	if (status_read(answer, out) < 0)
		return failure_set(
			&cli->failure, EXIT_PROTOCOL, "the answer of meshgwd makes no sense");
	*reply = sd_json_variant_ref(answer);
	return EXIT_DONE;
}
