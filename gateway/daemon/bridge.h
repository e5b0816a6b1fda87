/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * bridge: meshgwd's side of the HTTP bridge. It opens the sockets on which meshgw-bridge accepts,
 * reads the files that its part of the configuration names, has the names of upstreams resolved,
 * and tells all that to whoever has attached, again whenever it changes.
 *
 * The bridge parses what strangers send and is trusted with nothing else: it gets its own part of
 * the configuration and the sockets, and asks no question but DiagnoseTarget and GetStatus. What it
 * may connect to is in the table (nft/table_bridge.c), by its uid, before it is told.
 *
 * Without a bridge everything stays open and waits; without meshgwd the bridge goes on.
 */
#include "daemon/bridge_listen.h"
#include "daemon/bridge_secret.h"
#include "daemon/server.h"

#define BRIDGE_USER "meshgw-bridge"

/* A bridge that is just being restarted is not missing. */
constexpr uint64_t BRIDGE_MISSING_US = 5'000'000;

struct bridge;

/* Before the first pass. user: whose processes may attach; the caller's own and root's may as well.
 * probe_socket: of meshgw-probe. Both are borrowed. */
struct bridge *bridge_new(sd_event *event, struct server_context *context, const char *user,
	const char *probe_socket);
/* A listening socket that systemd kept for us, before the first step (bridge_store.h). */
void bridge_adopt(struct bridge *b, const char *name, int take_fd);
void bridge_free(struct bridge *b); /* nullptr is allowed */

/* The configuration, an address or an upstream may have changed. */
void bridge_step(struct bridge *b);

/* May this user attach? */
bool bridge_admits(const struct bridge *b, uid_t uid);
/* The group that the socket belongs to; (gid_t)-1 = there is none. */
gid_t bridge_group(const struct bridge *b);
/* What there is now, and each change until the client goes. -EBUSY: too many are attached. */
[[nodiscard]] int bridge_attach(struct bridge *b, sd_varlink *link, void *client);
/* What there is now, once. */
int bridge_reply(struct bridge *b, sd_varlink *link);

/* What the bridge did with what it was told; refusal nullptr: it serves it. Shown with the next
 * conditions: who reports without a pause has nothing done. */
void bridge_report(struct bridge *b, uint64_t generation, const char *refusal);

/* What DiagnoseTarget works on. */
struct bridge_asks *bridge_asks(const struct bridge *b);
/* What the files of the configuration hold. */
const struct bridge_secrets *bridge_secrets(const struct bridge *b);

struct bridge_view {
	const struct config *config; /* nullptr = not configured */
	bool attached;
	uint64_t generation;
	const uint64_t *served; /* nullptr = it has not said */
	const char *refusal;    /* nullptr = nothing was refused after that */
	const struct bridge_listeners *listeners;
};
struct bridge_view bridge_view(const struct bridge *b);
void bridge_health(const struct bridge *b, struct conditions *out);
