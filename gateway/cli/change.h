/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * change: what plan, apply, confirm, undo, down, diagnose and fix share: a call on the control
 * socket, and showing the operations that it answers with.
 *
 * Some of them work whatever state the daemon is in (…_anyway):
 *
 *   answers          it does the work
 *   is not running   meshgwd --once does it
 *   does not answer  down ends it (hung.h), and meshgwd --once does the work
 *
 * systemd may start the daemon again at any point of this. Then --once finds its lock taken and
 * says so, and the new daemon is asked, a bounded number of times.
 */
#include "cli/cli.h"
#include "cli/once.h"

struct change {
	const char *method;
	sd_json_variant *parameters; /* borrowed, may be nullptr */
	struct once once;            /* the same without a daemon, for …_anyway() */
	bool reads;                  /* changes nothing */
	bool ends_hung;              /* needs root where no daemon answers */
	uint64_t timeout_us;         /* 0 = that of the command line */
	void (*waiting)(void *arg);  /* as in client.h */
	void *arg;
};

/* Each calls, and shows what comes back. */
enum exit_status change_run(struct cli *cli, const struct change *change);
enum exit_status change_anyway(struct cli *cli, const struct change *change);

/* These only call. *reply belongs to the caller. */
enum exit_status change_call(
	struct cli *cli, const struct change *change, bool wait, sd_json_variant **reply);
enum exit_status change_call_anyway(
	struct cli *cli, const struct change *change, sd_json_variant **reply);
