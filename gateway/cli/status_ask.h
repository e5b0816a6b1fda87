/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * status_ask: meshgwd's status, for the commands that show it or parts of it.
 */
#include "cli/cli.h"
#include "cli/reply.h"

/* EXIT_DONE, *reply (the caller's) and *out, which points into it and is for status_clear(); or
 * the failure's status, and neither. */
enum exit_status status_ask(struct cli *cli, sd_json_variant **reply, struct status *out);
