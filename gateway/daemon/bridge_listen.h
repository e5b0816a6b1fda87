/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * bridge_listen: the sockets on which the HTTP bridge accepts, one for each port and address of
 * the mesh interface, opened as addresses come and closed as they go.
 *
 * They belong to meshgwd, which keeps them open while the bridge is away: connections wait in the
 * queue of the kernel. While meshgwd is restarted systemd keeps them (bridge_store.h), and the next
 * one goes on with the same sockets. What is no more wanted is shut down first, so that it ends in
 * whatever process.
 *
 * Where nobody kept them, after a stop or without systemd, the bridge may have outlived us with its
 * duplicates; then the address is taken when we start again (EADDRINUSE), and is shared only when
 * the bridge is there to take the new socket at once, or BRIDGE_HELD_US have passed: otherwise half
 * of the connections would wait in a queue that nobody empties. Sharing takes SO_REUSEPORT and our
 * own uid on both (inet_bind_conflict() of net/ipv4/inet_connection_sock.c).
 *
 * What cannot be opened is tried again every BRIDGE_RETRY_US.
 */
#include "conf/config.h"
#include "daemon/observed.h"

/* What is opened at most, and what systemd keeps (FileDescriptorStoreMax=). A configuration names
 * at most 16; only more than 4 addresses of the mesh interface make more of them. */
constexpr size_t BRIDGE_LISTENERS = 64;
constexpr uint64_t BRIDGE_HELD_US = 6'000'000;
constexpr uint64_t BRIDGE_RETRY_US = 1'000'000;

struct bridge_listener {
	struct addr address;
	uint16_t port;
	int fd;    /* -1 = it could not be opened */
	int error; /* positive errno, 0 = it listens */
	uint64_t retry_us;
	uint64_t held_us; /* since when the address is taken */
	bool wanted;
};

struct bridge_listeners {
	struct bridge_listener *list; /* sorted by address and port */
	size_t n, cap;
	size_t n_wanted;
	bool is_cut;
	struct bridge_listener cut; /* the first one that is wanted and too many */
};

/* config nullptr: nothing is listened on. attached: the bridge is there. True: a socket was opened
 * or closed. */
bool bridge_listeners_update(struct bridge_listeners *all, const struct config *config,
	const struct observed *seen, bool attached, uint64_t now_us);
/* A socket that listens already, of before we were restarted; the next update closes it if it is
 * not wanted. Takes the descriptor if true; false: there is one at its address, or there are too
 * many.
 */
[[nodiscard]] bool bridge_listeners_adopt(
	struct bridge_listeners *all, const struct bridge_listener *l);
void bridge_listeners_clear(struct bridge_listeners *all);
/* "100.96.0.18:80", "[2606:4700:cf1:1000::12]:80" */
constexpr size_t BRIDGE_LISTENER_STRLEN = ADDR_STRLEN + 9;
const char *bridge_listener_str(const struct bridge_listener *l, char *buf);
