/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/reply_tunnel.h"
#include "cli/reply_field.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <string.h>

static int read_strings(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	for (size_t i = 0; i < sd_json_variant_elements(v); i++)
		if (!sd_json_variant_is_string(sd_json_variant_by_index(v, i)))
			return -EINVAL;
	*(sd_json_variant **)to = sd_json_variant_is_null(v) ? nullptr : v;
	return 0;
}

/* sd-json has the names and values of an object as its elements, in turn. */
static int read_tallies(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	size_t n = sd_json_variant_is_null(v) ? 0 : sd_json_variant_elements(v);

	for (size_t i = 1; i < n; i += 2)
		if (!sd_json_variant_is_unsigned(sd_json_variant_by_index(v, i)))
			return -EINVAL;
	*(sd_json_variant **)to = sd_json_variant_is_null(v) ? nullptr : v;
	return 0;
}

#define STRINGS(type, name, member) \
	{name, SD_JSON_VARIANT_ARRAY, read_strings, offsetof(type, member), SD_JSON_NULLABLE}
#define TALLIES(type, name, member) \
	{name, SD_JSON_VARIANT_OBJECT, read_tallies, offsetof(type, member), SD_JSON_NULLABLE}
#define OBJECT(type, name, member, read) \
	{name, SD_JSON_VARIANT_OBJECT, read, offsetof(type, member), SD_JSON_NULLABLE}
#define LIST(type, name, member, read, flag) \
	{name, SD_JSON_VARIANT_ARRAY, read, offsetof(type, member), flag}

/* sd_json_dispatch_callback_t for an array of struct reply_NAME. */
#define LIST_READER(name)                                                                  \
	static int read_##name##s(                                                         \
		const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)      \
	{                                                                                  \
		return reply_list_read(v, name##_fields, sizeof(struct reply_##name), to); \
	}

static const sd_json_dispatch_field peer_fields[] = {
	TEXT(struct reply_peer, "address", address),
	TEXT(struct reply_peer, "state", state),
	TEXT_OR_NULL(struct reply_peer, "node", node),
	TEXT_OR_NULL(struct reply_peer, "replica", replica),
	TEXT_OR_NULL(struct reply_peer, "group", group),
	TEXT_OR_NULL(struct reply_peer, "cipher", cipher),
	NUMBER(struct reply_peer, "seconds", seconds),
	NUMBER(struct reply_peer, "rttUs", rtt_us),
	NUMBER(struct reply_peer, "lost", lost),
	NUMBER(struct reply_peer, "payload", payload),
	NUMBER(struct reply_peer, "packetsIn", packets_in),
	NUMBER(struct reply_peer, "packetsOut", packets_out),
	NUMBER(struct reply_peer, "dropped", dropped),
	TALLIES(struct reply_peer, "dropsIn", drops_in),
	TALLIES(struct reply_peer, "dropsOut", drops_out),
	{},
};
LIST_READER(peer)

static int read_peer(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	struct reply_peer *peer = to;

	peer->set = !sd_json_variant_is_null(v);
	return peer->set ? sd_json_dispatch(v, peer_fields, SD_JSON_ALLOW_EXTENSIONS, peer) : 0;
}

/* ---- nodes ---- */

static const sd_json_dispatch_field replica_fields[] = {
	TEXT(struct reply_replica, "name", name),
	TEXT(struct reply_replica, "state", state),
	NUMBER_OR_NULL(struct reply_replica, "seconds", seconds),
	STRINGS(struct reply_replica, "pins", pins),
	OBJECT(struct reply_replica, "peer", peer, read_peer),
	{},
};

/* Like reply_list_read(), with values for what may be missing. What was read when one fails is part
 * of the list: its owner clears it. */
static int read_each(sd_json_variant *array, const sd_json_dispatch_field *fields,
	const void *usual, size_t size, struct list *out)
{
	size_t n = sd_json_variant_elements(array);
	char *items = xcalloc(n, size);
	int r = 0;

	out->items = items;
	for (out->n = 0; r >= 0 && out->n < n; out->n++) {
		memcpy(items + out->n * size, usual, size);
		r = sd_json_dispatch(sd_json_variant_by_index(array, out->n), fields,
			SD_JSON_ALLOW_EXTENSIONS, items + out->n * size);
	}
	return r;
}

static int read_replicas(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	static const struct reply_replica usual = {.seconds = REPLY_NEVER};

	list_clear(to);
	return read_each(v, replica_fields, &usual, sizeof(usual), to);
}

static int read_way(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	static const sd_json_dispatch_field fields[] = {
		NUMBER(struct reply_way, "packets", packets),
		NUMBER(struct reply_way, "bytes", bytes),
		NUMBER(struct reply_way, "limited", limited),
		{},
	};

	return sd_json_variant_is_null(v)
		       ? 0
		       : sd_json_dispatch(v, fields, SD_JSON_ALLOW_EXTENSIONS, to);
}

static const sd_json_dispatch_field edge_node_fields[] = {
	TEXT(struct reply_edge_node, "name", name),
	TEXT(struct reply_edge_node, "promotion", promotion),
	TEXT_OR_NULL(struct reply_edge_node, "active", active),
	TEXT_OR_NULL(struct reply_edge_node, "why", why),
	STRINGS(struct reply_edge_node, "addresses", addresses),
	STRINGS(struct reply_edge_node, "routes", routes),
	NUMBER_OR_NULL(struct reply_edge_node, "packetsLimit", packets_limit),
	NUMBER_OR_NULL(struct reply_edge_node, "bytesLimit", bytes_limit),
	NUMBER_OR_NULL(struct reply_edge_node, "seconds", seconds),
	NUMBER(struct reply_edge_node, "changes", changes),
	OBJECT(struct reply_edge_node, "in", in, read_way),
	OBJECT(struct reply_edge_node, "out", out, read_way),
	NUMBER(struct reply_edge_node, "foreignSource", foreign),
	LIST(struct reply_edge_node, "replicas", replicas, read_replicas, SD_JSON_MANDATORY),
	{},
};

static void clear_nodes(struct list *nodes)
{
	struct reply_edge_node *list = nodes->items;

	for (size_t i = 0; i < nodes->n; i++)
		list_clear(&list[i].replicas);
	list_clear(nodes);
}

static int read_nodes(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	static const struct reply_edge_node usual = {.seconds = REPLY_NEVER};

	clear_nodes(to);
	return read_each(v, edge_node_fields, &usual, sizeof(usual), to);
}

static int read_limits(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	static const sd_json_dispatch_field fields[] = {
		NUMBER(struct reply_edge, "connections", connections),
		NUMBER(struct reply_edge, "handshakes", handshakes),
		NUMBER(struct reply_edge, "unauthenticated", unauthenticated),
		NUMBER(struct reply_edge, "retryAbove", retry_above),
		{},
	};

	return sd_json_variant_is_null(v)
		       ? 0
		       : sd_json_dispatch(v, fields, SD_JSON_ALLOW_EXTENSIONS, to);
}

static int read_edge(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	static const sd_json_dispatch_field fields[] = {
		STRINGS(struct reply_edge, "pool", pool),
		NUMBER(struct reply_edge, "withoutAddress", without_address),
		{"limits", SD_JSON_VARIANT_OBJECT, read_limits, 0, SD_JSON_NULLABLE},
		LIST(struct reply_edge, "nodes", nodes, read_nodes, SD_JSON_MANDATORY),
		{},
	};
	struct reply_edge *edge = to;

	edge->set = !sd_json_variant_is_null(v);
	return edge->set ? sd_json_dispatch(v, fields, SD_JSON_ALLOW_EXTENSIONS, edge) : 0;
}

/* ---- the tunnel ---- */

static int read_dial(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	static const sd_json_dispatch_field fields[] = {
		TEXT(struct reply_dial, "state", state),
		TEXT_OR_NULL(struct reply_dial, "edge", edge),
		TEXT_OR_NULL(struct reply_dial, "error", error),
		NUMBER(struct reply_dial, "pauseMs", pause_ms),
		{},
	};
	struct reply_dial *dial = to;

	dial->set = !sd_json_variant_is_null(v);
	return dial->set ? sd_json_dispatch(v, fields, SD_JSON_ALLOW_EXTENSIONS, dial) : 0;
}

static const sd_json_dispatch_field socket_fields[] = {
	TEXT(struct reply_socket, "address", address),
	NUMBER(struct reply_socket, "port", port),
	TEXT_OR_NULL(struct reply_socket, "reason", reason),
	{},
};
LIST_READER(socket)

static const sd_json_dispatch_field refusal_fields[] = {
	TEXT(struct reply_refusal, "prefix", prefix),
	TEXT(struct reply_refusal, "reason", reason),
	{},
};
LIST_READER(refusal)

static const sd_json_dispatch_field tunnel_fields[] = {
	TEXT(struct reply_tunnel, "role", role),
	TRUTH(struct reply_tunnel, "attached", attached),
	NUMBER(struct reply_tunnel, "generation", generation),
	STRINGS(struct reply_tunnel, "addresses", addresses),
	STRINGS(struct reply_tunnel, "routes", routes),
	LIST(struct reply_tunnel, "refused", refused, read_refusals, SD_JSON_NULLABLE),
	LIST(struct reply_tunnel, "sockets", sockets, read_sockets, SD_JSON_MANDATORY),
	OBJECT(struct reply_tunnel, "dial", dial, read_dial),
	LIST(struct reply_tunnel, "peers", peers, read_peers, SD_JSON_MANDATORY),
	NUMBER_OR_NULL(struct reply_tunnel, "peersMore", peers_more),
	OBJECT(struct reply_tunnel, "edge", edge, read_edge),
	TALLIES(struct reply_tunnel, "counters", counters),
	{},
};

int tunnel_dispatch(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	struct reply_tunnel *tunnel = to;

	if (sd_json_variant_is_null(v))
		return 0;
	tunnel->set = true;
	tunnel->raw = v;
	return sd_json_dispatch(v, tunnel_fields, SD_JSON_ALLOW_EXTENSIONS, tunnel);
}

void reply_tunnel_clear(struct reply_tunnel *t)
{
	list_clear(&t->refused);
	list_clear(&t->sockets);
	list_clear(&t->peers);
	clear_nodes(&t->edge.nodes);
	*t = (struct reply_tunnel){};
}

bool tally_at(sd_json_variant *tallies, size_t i, const char **name, uint64_t *n)
{
	if (!tallies || 2 * i + 1 >= sd_json_variant_elements(tallies))
		return false;
	*name = sd_json_variant_string(sd_json_variant_by_index(tallies, 2 * i));
	*n = sd_json_variant_unsigned(sd_json_variant_by_index(tallies, 2 * i + 1));
	return true;
}

uint64_t tally_of(sd_json_variant *tallies, const char *name)
{
	sd_json_variant *v = tallies ? sd_json_variant_by_key(tallies, name) : nullptr;

	return v ? sd_json_variant_unsigned(v) : 0;
}
