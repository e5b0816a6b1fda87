/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * bridge_store: the bridge's listening sockets while meshgwd is being restarted. systemd keeps a
 * duplicate of each (the file descriptor store, FDSTORE=1 of sd_notify(3)), under a name made of
 * its address, and gives them to the next meshgwd: whoever connects meanwhile waits in the same
 * queue, and the bridge needs no other socket.
 *
 * Without systemd (no NOTIFY_SOCKET) nothing is kept and nothing given.
 */
#include "daemon/bridge_listen.h"

/* systemd keeps it until it is dropped, or meshgwd is stopped for good. */
void bridge_store_keep(const struct bridge_listener *l);
/* It is no more wanted. */
void bridge_store_drop(const struct bridge_listener *l);
/* Is it the name of one of them? */
bool bridge_store_named(const char *name);
/* Takes what was given at the start by such a name, closes what cannot be used. */
void bridge_store_take(struct bridge_listeners *all, const char *name, int take_fd);
