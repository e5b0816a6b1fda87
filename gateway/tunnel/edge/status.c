/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/status.h"
#include "edge/edge_int.h"
#include <assert.h>
#include <string.h>

static const char *const whys[EDGE_WHY_MAX] = {
	[EDGE_WHY_NONE] = "none",
	[EDGE_WHY_FIRST] = "first",
	[EDGE_WHY_LOST] = "lost",
	[EDGE_WHY_PROMOTED] = "promoted",
	[EDGE_WHY_RENEWED] = "renewed",
	[EDGE_WHY_REMOVED] = "removed",
	[EDGE_WHY_SILENT] = "silent",
};

static const char *const states[EDGE_STATES] = {
	[EDGE_OFFLINE] = "offline",
	[EDGE_PASSIVE] = "passive",
	[EDGE_ACTIVE] = "active",
};

const char *edge_why_str(enum edge_why why)
{
	assert(why < EDGE_WHY_MAX);
	return whys[why];
}

const char *edge_state_str(enum edge_state state)
{
	assert(state < EDGE_STATES);
	return states[state];
}

void edge_node_status(const struct edge *e, size_t node, struct edge_node_status *out)
{
	const struct edge_place *p = &e->places[node];

	*out = (struct edge_node_status){.config = &e->nodes->list[node],
		.active = p->active ? edge_member_replica(p->active)->name : nullptr,
		.since_ns = p->since_ns,
		.why = p->why,
		.changes = p->changes,
		.lease = e->leases[node],
		.foreign = p->foreign};
	memcpy(out->packets, p->packets, sizeof(out->packets));
	memcpy(out->bytes, p->bytes, sizeof(out->bytes));
	memcpy(out->limited, p->limited, sizeof(out->limited));
}

void edge_replica_status(
	const struct edge *e, size_t node, size_t replica, struct edge_replica_status *out)
{
	const struct edge_place *p = &e->places[node];
	const struct edge_seat *seat = &p->seats[replica];

	*out = (struct edge_replica_status){.config = &e->nodes->list[node].replicas[replica],
		.state = !seat->member               ? EDGE_OFFLINE
			 : seat->member == p->active ? EDGE_ACTIVE
						     : EDGE_PASSIVE,
		.since_ns = seat->since_ns};
}

size_t edge_without_address(const struct edge *e)
{
	return e->without_address;
}
