/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * loop: the daemon at run time. One sd-event loop carries the kernel's notifications, the
 * control sockets, signals, the watchdog and two timers: the next pass, and a tick every second.
 *
 * The first notification of a burst is answered by a pass at once; a storm is held to one pass
 * every LOOP_PASS_US by a credit. A slow pass over what is ours comes every LOOP_RESYNC_US; over
 * everything, which is dear on a host with a full routing table, every LOOP_RESYNC_ALL times
 * that, and at once after the machine slept.
 */
#include "daemon/kernel.h"
#include "daemon/store.h"
#include "lib/err.h"

constexpr uint64_t LOOP_PASS_US = 20'000;
constexpr uint64_t LOOP_CREDIT_US = 1'000'000;
constexpr uint64_t LOOP_TICK_US = 1'000'000;
constexpr uint64_t LOOP_RESYNC_US = 30'000'000;
constexpr unsigned LOOP_RESYNC_ALL = 10;

/* A descriptor that systemd gave us by a name. */
struct loop_given {
	char *name;
	int fd;
};

struct loop_options {
	const char *config_path; /* the file in /etc */
	const char *runtime_dir; /* where the sockets are */
	const char *bridge_user; /* nullptr = BRIDGE_USER */
	const char *tunnel_user; /* nullptr = TUNNEL_USER */
	const char *vtysh;       /* nullptr = where FRR's package puts it */
	struct loop_given
		*kept; /* listening sockets of the bridge (daemon/bridge_store.h); taken */
	size_t n_kept;
	int rcvbuf; /* of the notification sockets, bytes; 0 = default */
};

/* Runs until SIGTERM or SIGINT; leaves the kernel's state as it is. Borrows kernel and store.
 * 0 or -errno with a sentence. */
[[nodiscard]] int loop_run(const struct loop_options *options, struct kernel *kernel,
	struct store *store, struct err *err);
