/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_presence: is FRR there? Its daemons make sockets in /run/frr when they start, and write their
 * process numbers beside them. inotify tells of each socket that comes and goes, also of the folder
 * itself; a descriptor of the process (pidfd) tells of a death that leaves its socket behind. That
 * a daemon lives is no proof that it answers: only vtysh can tell that.
 */
#include "lib/err.h"
#include <stdint.h>
#include <systemd/sd-event.h>

#define FRR_RUNTIME_DIR "/run/frr"

enum frr_socket {
	FRR_SOCKET_ZEBRA = 1 << 0,
	FRR_SOCKET_MGMTD = 1 << 1,
	FRR_SOCKET_STATICD = 1 << 2,
	FRR_SOCKET_BGPD = 1 << 3,
	FRR_SOCKET_BFDD = 1 << 4,
};

struct frr_presence;

/* Calls changed() after each change, until freed. dir: FRR_RUNTIME_DIR, or another one in tests;
 * it need not exist, its parent must. */
[[nodiscard]] int frr_presence_new(sd_event *event, const char *dir, void (*changed)(void *arg),
	void *arg, struct frr_presence **out, struct err *err);
void frr_presence_free(struct frr_presence *p);

struct frr_there {
	bool installed;   /* there is a vtysh */
	unsigned sockets; /* enum frr_socket */
	unsigned closed;  /* those of them that we may not use: not in group frrvty */
	uint64_t age_us;  /* of the youngest socket: a start may go on for a while after it */
};

/* What there is now. Needs no watch. */
struct frr_there frr_presence_look(const char *program, const char *dir);
