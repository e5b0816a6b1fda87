/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tunnel: meshgwd's side of the gateway's own tunnel. It makes the mesh interface, opens the UDP
 * sockets, reads the certificate and the key, and tells all that to whoever has attached, again
 * whenever it changes.
 *
 * meshgw-tunnel parses what strangers send and is trusted with nothing else. What it hears from an
 * edge is a proposal (tunnel_policy.h); addresses that are accepted are put on the interface here.
 * What it reports is shown and decides nothing.
 *
 * Interface and sockets outlive a restart of either program: each has duplicates, and systemd keeps
 * ours meanwhile (fd_store.h); after a stop the tunnel brings them back. `meshgw down` removes the
 * interface.
 */
#include "daemon/server.h"
#include "daemon/tunnel_device.h"
#include "daemon/tunnel_policy.h"
#include "daemon/tunnel_report.h"
#include "daemon/tunnel_sockets.h"
#include "daemon/tunnel_wish.h"

#define TUNNEL_USER "meshgw-tunnel"

/* A tunnel that is just being restarted is not missing. */
constexpr uint64_t TUNNEL_MISSING_US = 5'000'000;
constexpr size_t TUNNEL_RETURNED_MAX = 17; /* the interface and as many sockets as there can be */

struct tunnel;

/* Before the first pass. user: whose processes may attach. probe_socket: of meshgw-probe. Both are
 * borrowed. */
struct tunnel *tunnel_new(
	struct server_context *context, const char *user, const char *probe_socket);
void tunnel_free(struct tunnel *t); /* nullptr is allowed */
/* What systemd kept for us, before the first step. */
bool tunnel_stored(const char *name);
void tunnel_adopt(struct tunnel *t, const char *name, int take_fd);

/* What a daemon before us gave to the tunnel, and systemd did not keep: after a stop. */
void tunnel_take_back(struct tunnel *t, int take_fd);

/* The configuration, an interface or an address may have changed. */
void tunnel_step(struct tunnel *t);

bool tunnel_admits(const struct tunnel *t, uid_t uid);
/* The group that the socket belongs to; (gid_t)-1 = there is none. */
gid_t tunnel_group(const struct tunnel *t);
/* What there is now, and each change until the client goes. -EBUSY: too many are attached. */
[[nodiscard]] int tunnel_attach(struct tunnel *t, sd_varlink *link, void *client);
/* What there is now, once. */
int tunnel_reply(struct tunnel *t, sd_varlink *link);

/* -ENOENT: this host dials no edge. The verdict is valid until the next proposal. */
[[nodiscard]] int tunnel_propose(struct tunnel *t, const struct tunnel_proposal *proposal,
	const struct tunnel_verdict **out);
/* Of an edge: answers the caller with the addresses of a name, for which tunnel_name_is_host(), now
 * or later. -ENOENT: this host is none. */
[[nodiscard]] int tunnel_resolve(
	struct tunnel *t, sd_varlink *link, void *client, const char *name);
/* Replaces what was reported; takes it. */
void tunnel_report(struct tunnel *t, struct tunnel_report *take_report);
/* Of an edge: has the tunnel make this replica the active one, and answers the caller when that is
 * done, or is not. */
int tunnel_promote(
	struct tunnel *t, sd_varlink *link, void *client, const char *node, const char *replica);
/* What the tunnel says came of it. */
void tunnel_promoted(struct tunnel *t, uint64_t id, const char *result);

struct tunnel_view {
	const struct config *config; /* nullptr = not configured */
	bool attached;
	uint64_t generation;
	const struct tunnel_device *device;
	const struct tunnel_sockets *sockets;
	const struct tunnel_verdict *verdict;
	const struct tunnel_report *report;
};
struct tunnel_view tunnel_view(const struct tunnel *t);
void tunnel_health(const struct tunnel *t, struct conditions *out);
