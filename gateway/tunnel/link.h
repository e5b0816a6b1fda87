/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * link: the connection to meshgwd by which the tunnel is told what to be, and gets its descriptors.
 *
 * meshgwd answers TunnelAttach at once and again with each change. When it goes away the tunnel
 * goes on as it was told last, and looks for it again, after 100 ms at first and then up to every 5
 * s. One that was stopped in between has lost its descriptors: it gets ours with the question.
 */
#include <stdint.h>
#include <systemd/sd-event.h>
#include <systemd/sd-json.h>

struct link;

constexpr unsigned LINK_SOCKETS_MAX = 16;
constexpr unsigned LINK_OPEN_MAX = LINK_SOCKETS_MAX + 1; /* and the TUN device */

/* Something to be done once. */
struct link_order {
	uint64_t id;                /* 0 = nothing; never the same twice */
	const char *node, *replica; /* to be the active one; borrowed */
};

struct link_told {
	bool first;              /* of this meshgwd, as far as it is known */
	uint64_t generation;     /* where it is the one before, the rest is, but for … */
	sd_json_variant *tunnel; /* nullptr: there is nothing to be */
	int tun;                 /* -1 = none */
	int sockets[LINK_SOCKETS_MAX];
	unsigned n_sockets;
	int memory;                /* for the roll; -1 = none */
	uint64_t filters;          /* … how often this host's packet filter has changed */
	struct link_order promote; /* told again and again until its answer has come */
};

struct link_events {
	/* What is not taken (lib/own.h, fd_take) is closed afterwards. */
	void (*told)(void *arg, struct link_told *what);
	/* What is open of what was told, for a meshgwd that begins without; borrowed. Their number.
	 */
	unsigned (*open)(void *arg, int fds[LINK_OPEN_MAX]);
	void *arg;
};

/* socket is borrowed. */
[[nodiscard]] struct link *link_new(
	sd_event *event, const char *socket, const struct link_events *events);
void link_free(struct link *l); /* nullptr is allowed */
