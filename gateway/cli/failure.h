/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * failure: why a command did not do what it was asked, as one sentence, an exit status, and the
 * varlink error if the daemon sent one.
 *
 * It is set once, where the failure is known, and printed once, when the program ends. The
 * message is escaped when it is made: what is in it may go to a terminal.
 */
#include "cli/exit.h"
#include <systemd/sd-json.h>

struct failure {
	enum exit_status status;     /* EXIT_DONE: there is none */
	char id[96];                 /* name of the error */
	sd_json_variant *parameters; /* of a varlink error; owned, may be nullptr */
	char message[512];
};

/* Sets status, id and message; returns status. */
[[gnu::format(printf, 3, 4)]] enum exit_status failure_set(
	struct failure *f, enum exit_status status, const char *fmt, ...);

/* A varlink error, as a reply on a socket or on the standard output of meshgwd --once. Takes a
 * reference of parameters, which may be nullptr. Returns the status. */
enum exit_status failure_from_error(struct failure *f, const char *id, sd_json_variant *parameters);

void failure_clear(struct failure *f);
