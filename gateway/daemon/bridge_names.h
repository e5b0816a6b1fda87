/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * bridge_names: the addresses of upstreams that are written as names.
 *
 * meshgw-probe asks for them, since meshgwd reads no answers of name servers: one question at a
 * time, each name again every BRIDGE_NAME_US, after a failure every BRIDGE_NAME_RETRY_US. What was
 * known stays while there is no new answer.
 *
 * A name server may not lead the bridge wherever it likes: only addresses inside lan.networks or
 * bridge.upstream_networks count, and never loopback, link-local or mesh addresses, nor the
 * gateway's own. The cloud's metadata services are link-local; their other addresses are listed.
 */
#include "conf/config.h"
#include "daemon/observed.h"
#include <systemd/sd-event.h>

constexpr uint64_t BRIDGE_NAME_US = 30'000'000;
constexpr uint64_t BRIDGE_NAME_RETRY_US = 5'000'000;
constexpr size_t BRIDGE_NAME_ADDRESSES = 32; /* of one name */

struct bridge_names;

/* changed is called from the loop when an address came or went. socket: of meshgw-probe. */
struct bridge_names *bridge_names_new(
	sd_event *event, const char *socket, void (*changed)(void *arg), void *arg);
void bridge_names_free(struct bridge_names *n); /* nullptr is allowed */

/* The names of this configuration, all of which are asked for anew; until there are answers, what
 * is known of those that stay is kept. nullptr: none. config
 * and seen are borrowed until the next call. */
void bridge_names_configure(
	struct bridge_names *n, const struct config *config, const struct observed *seen);

/* Those that may be used; nullptr and 0 while there are none. */
const struct addr *bridge_names_addresses(
	const struct bridge_names *n, const char *name, size_t *count);
/* The i-th name with what is wrong with it; nullptr behind the last. */
const char *bridge_names_problem(const struct bridge_names *n, size_t i, const char **why);

/* May the bridge connect to this address because a name stands for it? */
bool bridge_name_may_be(
	const struct config *config, const struct observed *seen, const struct addr *a);
