/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * attach: the bridge's line to meshgwd, on the main thread's sd-event loop.
 *
 * meshgwd tells what is to be served (BridgeAttach: the configuration and the listening sockets) as
 * long as the line stands, and again with each change. When it is lost everything goes on as it
 * was, and the line is tried again, after 100 ms at first and 5 s at last. A configuration that
 * does not pass route/config.h is refused as a whole, with its sockets: the one before stays.
 *
 * Questions (DiagnoseTarget, GetStatus) have a connection of their own each, a deadline, and a
 * bound on how many there are at once. Whose answer is told: always once, also when the line is
 * freed.
 *
 * A JSON value belongs to one thread: sd-json counts its references without locks. What is told
 * here is for the main thread; workers get text.
 */
#include "route/config.h"
#include <systemd/sd-event.h>

struct attach;

constexpr size_t ATTACH_LISTENERS_MAX = 64;
constexpr size_t ATTACH_QUESTIONS_MAX = 16;

struct attach_events {
	/* Serve this from now on, by these sockets and no others. The reference and the descriptors
	 * are the callee's. config is nullptr when there is nothing to serve. */
	void (*serve)(void *arg, const struct bridge_config *take_config, const int *take_fds,
		size_t n_fds);
	/* Something was sent that cannot be served. */
	void (*refused)(void *arg, const struct err *why);
};

/* socket: API_BRIDGE_SOCKET, borrowed. Begins to connect at once; events and event outlive it. */
[[nodiscard]] struct attach *attach_new(
	sd_event *event, const char *socket, const struct attach_events *events, void *arg);
void attach_free(struct attach *a); /* nullptr is allowed */
/* Has meshgwd said something, and does the line stand? */
bool attach_stands(const struct attach *a);

/* reply is borrowed; nullptr: refused, lost or too late. */
typedef void attach_done(void *arg, sd_json_variant *reply);

/* The verdict about a target. -EBUSY: too many questions; done() is not called then. */
[[nodiscard]] int attach_diagnose(struct attach *a, const char *target, bool active,
	uint32_t deadline_ms, attach_done *done, void *arg);
/* The reply of GetStatus, likewise. */
[[nodiscard]] int attach_status(
	struct attach *a, uint32_t deadline_ms, attach_done *done, void *arg);
