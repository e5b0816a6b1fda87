/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tunnel: one configuration at work: the TUN device, the UDP sockets, the QUIC endpoint, and the
 * role that decides who is spoken to. It owns them, begins and ends them in the right order, and
 * reports; what carries packets from the TUN is cargo.h, from the sockets pump.h, and what the
 * endpoint tells goes by dispatch.h.
 *
 *   kernel ─▶ TUN ─▶ segment ─▶ lane ─▶ QUIC ─▶ UDP        UDP ─▶ QUIC ─▶ lane ─▶ coalesce ─▶ TUN
 *
 * With one peer (connector) the TUN device is not read while the peer's window is full: the kernel
 * queues, and the senders behind it slow down. With many (edge) each has a queue of its own, which
 * is bounded in bytes and drops, so that nobody waits for somebody else's window.
 *
 * What a peer tells is only a proposal: tunnel_told() has it, for meshgwd to judge.
 */
#include "config.h"
#include "lane.h"
#include "lib/err.h"
#include <systemd/sd-event.h>

struct tunnel;

struct tunnel_events {
	/* What the peers told, or what tunnel_report() says, is something else now. */
	void (*changed)(void *arg);
	/* The TUN device is gone. */
	void (*broken)(void *arg, const char *why);
	void *arg;
};

struct tunnel_given {
	struct tunnel_config *config;
	int tun;
	const int *sockets;
	unsigned n_sockets;
	int memory;         /* for the roll; -1 = none */
	const char *daemon; /* meshgwd's socket; borrowed */
};

/* Whether certificate, key and authorities would do for tunnel_new(); the same errors. */
[[nodiscard]] int tunnel_check(const struct tunnel_config *config, struct err *err);
/* Takes everything that it is given, also when it fails. */
[[nodiscard]] int tunnel_new(sd_event *event, const struct tunnel_given *take,
	const struct tunnel_events *events, struct tunnel **out, struct err *err);
/* Connections end with a word to the peer, if the sockets take it. */
void tunnel_free(struct tunnel *t); /* nullptr is allowed */

const struct tunnel_config *tunnel_config(const struct tunnel *t);
/* Are these what it was given, however often they have been passed on? */
bool tunnel_has_device(const struct tunnel *t, int tun);
bool tunnel_has_sockets(const struct tunnel *t, const int *sockets, unsigned n);
/* They themselves, borrowed; their number. */
unsigned tunnel_open(const struct tunnel *t, int *fds, unsigned max);
/* Is one of these of each family that those have which it was given? */
bool tunnel_may_move(const struct tunnel *t, const int *sockets, unsigned n);
/* A connector's: this host's address is another one. The connection moves to them (RFC 9000 s9), or
 * there will be another connection. Takes the descriptors, also when it fails; then there are fewer
 * sockets than there should be. */
[[nodiscard]] int tunnel_move(struct tunnel *t, const int *sockets, unsigned n, struct err *err);
/* A configuration that tunnel_config_reloads(); connections live on, but for those whose peer is
 * not accepted any more. Takes it on success. */
[[nodiscard]] int tunnel_reload(
	struct tunnel *t, struct tunnel_config *take_config, struct err *err);

/* Each connection sends something. */
void tunnel_ping(struct tunnel *t);

/* nullptr = nobody told anything that counts. */
const struct lane_told *tunnel_told(const struct tunnel *t);
/* Makes this replica its node's active one. As edge_promote(); -EOPNOTSUPP: the role is not edge.
 */
[[nodiscard]] int tunnel_promote(struct tunnel *t, const char *node, const char *replica);
/* An object: role, peers, counters, and what the role adds (README.md). */
[[nodiscard]] int tunnel_report(struct tunnel *t, sd_json_variant **out);
