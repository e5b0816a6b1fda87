/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * client: one call to meshgwd, on its status or its control socket.
 *
 * A call connects, asks, waits for one reply and hangs up. It never waits longer than its
 * deadline, whatever the other side does: not accepting, not answering, sending nonsense, or
 * going away in the middle each end in a failure of their own.
 */
#include "cli/failure.h"
#include <limits.h>

struct client_call {
	const char *socket;          /* API_STATUS_SOCKET or API_CONTROL_SOCKET */
	const char *method;          /* without the name of the interface */
	sd_json_variant *parameters; /* borrowed; nullptr = none */
	uint64_t timeout_us;
	bool wait;    /* for a daemon that is just starting, until the timeout */
	bool changes; /* something; who gives up must know that it may be done later */
	/* Called again and again while there is no answer; nullptr = nobody wants to know. */
	void (*waiting)(void *arg);
	void *arg;
};

/* EXIT_DONE and *fd (owned by the caller), or the failure's status and a negative *fd. */
enum exit_status client_connect(const struct client_call *call, int *fd, struct failure *f);
/* EXIT_DONE and *reply (owned by the caller), or the failure's status. */
enum exit_status client_call(
	const struct client_call *call, sd_json_variant **reply, struct failure *f);

/* Where a file of /run/meshgw is: there, or below $MESHGW_RUNTIME_DIR. */
struct client_path {
	char text[PATH_MAX];
};
struct client_path client_path(const char *standard);
