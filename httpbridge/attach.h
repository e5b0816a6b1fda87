/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * attach: the connection to meshgwd by which the bridge is told what to serve, and on which
 * sockets.
 *
 * meshgwd answers BridgeAttach at once and again with each change. When it goes away the bridge
 * serves on with what it was told last, and looks for it again, after 100 ms at first and then up
 * to every 5 s.
 */
#include "route/config.h"
#include <systemd/sd-event.h>

struct attach;

constexpr size_t ATTACH_SOCKETS_MAX = 256;

struct attach_events {
	/* Takes the configuration, nullptr = there is nothing to serve; the descriptors are closed
	 * afterwards. */
	void (*told)(void *arg, uint64_t generation, const struct bridge_config *take_config,
		const int *fds, unsigned n);
	void (*gone)(void *arg);
	/* What it said is not understood: nothing changes. */
	void (*refused)(void *arg, uint64_t generation, const char *why);
	void *arg;
};

/* socket is borrowed. */
[[nodiscard]] struct attach *attach_new(
	sd_event *event, const char *socket, const struct attach_events *events);
void attach_free(struct attach *a); /* nullptr is allowed */
