/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * follow: a call to meshgwd that is answered again and again, until somebody ends it with Ctrl-C
 * or SIGTERM: that is its regular end.
 */
#include "cli/client.h"
#include <systemd/sd-event.h>

struct follow {
	struct client_call call; /* its timeout is that of the connection */
	/* One reply; a negative value: it makes no sense. */
	int (*take)(void *arg, sd_json_variant *parameters);
	void *arg;
};

/* The loop is the caller's, who may have timers in it. */
enum exit_status follow_run(sd_event *event, const struct follow *follow, struct failure *f);
