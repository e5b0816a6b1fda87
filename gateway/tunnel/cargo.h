/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * cargo: the kernel's packets on their way into the tunnel, and when the TUN device is read.
 *
 *   TUN ─▶ super-packet ─▶ segment ─▶ piece ─▶ whose? (role) ─▶ may it? (lane) ─▶ the pump's batch
 *
 * A turn carries as much as it may (share.h). When the peer's window is full the piece under way
 * waits here and the device is not read until there is room; of a role that does not wait (role.h)
 * it goes into its peer's queue. When a socket is full it waits here in either case. What nobody is
 * there for is answered by ICMP, or, while that may be only for a moment, not at all.
 *
 * It owns the super-packet under way and the device's source in the loop, and borrows all else.
 * Nothing comes in by it: what peers send goes from lanes to the TUN.
 */
#include "data/tun.h"
#include "lane.h"
#include "losses.h"
#include "pump.h"
#include "role.h"
#include <systemd/sd-event.h>

struct cargo;

struct cargo_setup {
	sd_event *event;
	struct tun *tun;
	struct pump *pump;
	const struct role *role;
	void *role_data;
	struct losses *losses;
	/* The TUN device is gone. */
	void (*broken)(void *arg, const char *why);
	void *arg;
};

/* Begins to read. */
struct cargo *cargo_new(const struct cargo_setup *setup);
void cargo_free(struct cargo *c); /* nullptr is allowed */

/* In a turn: what waited goes on. Where many packets have come the TUN is read at once: their
 * answers are there, perhaps, and share packets with what is acknowledged. */
void cargo_turned(struct cargo *c, uint64_t now_ns);
/* In this turn a packet of a peer has arrived. */
void cargo_arrived(struct cargo *c);
/* A window may be open again. */
void cargo_room(struct cargo *c);
/* This lane ends: what waits for it has nobody to go to any more. */
void cargo_forget(struct cargo *c, const struct lane *l);
