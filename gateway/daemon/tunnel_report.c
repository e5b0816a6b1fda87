/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tunnel_report.h"
#include "lib/escape.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int read_text(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	const char *text = sd_json_variant_string(v);

	escape_text(text, strlen(text), to, TUNNEL_TEXT_STRLEN);
	return 0;
}

static int read_word(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	const char *text = sd_json_variant_string(v);

	escape_text(text, strlen(text), to, TUNNEL_WORD_STRLEN);
	return 0;
}

constexpr auto ANY = _SD_JSON_VARIANT_TYPE_INVALID;

#define TEXT(type, key, member) {key, SD_JSON_VARIANT_STRING, read_text, offsetof(type, member), 0}
#define WORD(type, key, member) {key, SD_JSON_VARIANT_STRING, read_word, offsetof(type, member), 0}
#define NUMBER(type, key, member) {key, ANY, sd_json_dispatch_uint64, offsetof(type, member), 0}
#define FLAG(type, key, member)                                                          \
	{key, SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool, offsetof(type, member), \
		SD_JSON_MANDATORY}
#define TALLIES(type, key, member) \
	{key, SD_JSON_VARIANT_OBJECT, read_tallies, offsetof(type, member), 0}
#define LIST(key, read) {key, SD_JSON_VARIANT_ARRAY, read, 0, SD_JSON_MANDATORY}

typedef int element_reader(sd_json_variant *v, void *to);

/* So many, of those that there are. What was read when one fails is counted: its owner frees it. */
static int read_first(sd_json_variant *array, size_t elements, size_t size, element_reader *read,
	void **list, size_t *n)
{
	int r = 0;

	if (*list)
		return -E2BIG;
	uint8_t *out = xcalloc(elements, size);
	*list = out;
	for (*n = 0; r >= 0 && *n < elements; (*n)++)
		r = read(sd_json_variant_by_index(array, *n), out + *n * size);
	return r;
}

static int read_list(sd_json_variant *array, size_t max, size_t size, element_reader *read,
	void **list, size_t *n)
{
	size_t elements = sd_json_variant_elements(array);

	return elements > max ? -E2BIG : read_first(array, elements, size, read, list, n);
}

static bool is_plain(const char *name)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";

	return *name && name[strspn(name, plain)] == '\0' && strlen(name) < TUNNEL_WORD_STRLEN;
}

/* sd-json has the names and values of an object as its elements, in turn. */
static int read_tallies(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	size_t n = sd_json_variant_elements(v);

	if (n > 2 * TUNNEL_TALLIES_MAX)
		return -E2BIG;
	for (size_t i = 0; i + 1 < n; i += 2)
		if (!is_plain(sd_json_variant_string(sd_json_variant_by_index(v, i))) ||
			!sd_json_variant_is_unsigned(sd_json_variant_by_index(v, i + 1)))
			return -EINVAL;
	*(sd_json_variant **)to = v;
	return 0;
}

/* ---- peers ---- */

static int read_packets(
	const char *, sd_json_variant *v, sd_json_dispatch_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		NUMBER(struct tunnel_peer, "in", in),
		NUMBER(struct tunnel_peer, "out", out),
		NUMBER(struct tunnel_peer, "dropped", dropped),
		NUMBER(struct tunnel_peer, "badSource", bad_source),
		TALLIES(struct tunnel_peer, "dropsIn", drops_in),
		TALLIES(struct tunnel_peer, "dropsOut", drops_out),
		{},
	};

	return sd_json_dispatch(v, fields, flags, userdata);
}

static int read_peer(sd_json_variant *v, void *to)
{
	static const sd_json_dispatch_field fields[] = {
		FLAG(struct tunnel_peer, "open", open),
		FLAG(struct tunnel_peer, "active", active),
		TEXT(struct tunnel_peer, "address", address),
		TEXT(struct tunnel_peer, "node", node),
		TEXT(struct tunnel_peer, "replica", replica),
		TEXT(struct tunnel_peer, "group", group),
		TEXT(struct tunnel_peer, "cipher", cipher),
		NUMBER(struct tunnel_peer, "seconds", seconds),
		NUMBER(struct tunnel_peer, "rttUs", rtt_us),
		NUMBER(struct tunnel_peer, "lost", lost),
		NUMBER(struct tunnel_peer, "payload", payload),
		{"packets", SD_JSON_VARIANT_OBJECT, read_packets, 0, 0},
		{},
	};

	return sd_json_dispatch(v, fields, SD_JSON_ALLOW_EXTENSIONS, to);
}

static int read_peers(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	struct tunnel_report *r = to;
	size_t all = sd_json_variant_elements(v),
	       n = all < TUNNEL_PEERS_MAX ? all : TUNNEL_PEERS_MAX;

	/* Others make connections; that they are many must not hide what else there is to tell. */
	r->peers_more = all - n;
	return read_first(v, n, sizeof(*r->peers), read_peer, (void **)&r->peers, &r->n_peers);
}

/* ---- nodes ---- */

static int read_way(const char *, sd_json_variant *v, sd_json_dispatch_flags_t flags, void *to)
{
	static const sd_json_dispatch_field fields[] = {
		NUMBER(struct tunnel_way, "packets", packets),
		NUMBER(struct tunnel_way, "bytes", bytes),
		NUMBER(struct tunnel_way, "limited", limited),
		{},
	};

	return sd_json_dispatch(v, fields, flags, to);
}

static int read_lease(sd_json_variant *v, void *to)
{
	return sd_json_variant_is_string(v) ? addr_parse(sd_json_variant_string(v), to) : -EINVAL;
}

static int read_leases(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	struct tunnel_node_state *node = to;
	size_t n = sd_json_variant_elements(v);
	int r = 0;

	if (n > TUNNEL_LEASES_MAX)
		return -E2BIG;
	for (node->n_leases = 0; r >= 0 && node->n_leases < n; node->n_leases++)
		r = read_lease(
			sd_json_variant_by_index(v, node->n_leases), &node->leases[node->n_leases]);
	return r;
}

static int read_state(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	struct tunnel_replica_state *replica = to;
	const char *text = sd_json_variant_string(v);

	replica->active = strcmp(text, "active") == 0;
	replica->connected = replica->active || strcmp(text, "passive") == 0;
	return 0;
}

static int read_replica(sd_json_variant *v, void *to)
{
	static const sd_json_dispatch_field fields[] = {
		TEXT(struct tunnel_replica_state, "name", name),
		{"state", SD_JSON_VARIANT_STRING, read_state, 0, SD_JSON_MANDATORY},
		NUMBER(struct tunnel_replica_state, "seconds", seconds),
		{},
	};

	*(struct tunnel_replica_state *)to = (struct tunnel_replica_state){.seconds = TUNNEL_NEVER};
	return sd_json_dispatch(v, fields, SD_JSON_ALLOW_EXTENSIONS, to);
}

static int read_replicas(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	struct tunnel_node_state *node = to;

	return read_list(v, TUNNEL_NODE_REPLICAS_MAX, sizeof(*node->replicas), read_replica,
		(void **)&node->replicas, &node->n_replicas);
}

static int read_node(sd_json_variant *v, void *to)
{
	static const sd_json_dispatch_field fields[] = {
		TEXT(struct tunnel_node_state, "name", name),
		TEXT(struct tunnel_node_state, "active", active),
		WORD(struct tunnel_node_state, "why", why),
		NUMBER(struct tunnel_node_state, "seconds", seconds),
		NUMBER(struct tunnel_node_state, "changes", changes),
		NUMBER(struct tunnel_node_state, "foreign", foreign),
		{"in", SD_JSON_VARIANT_OBJECT, read_way, offsetof(struct tunnel_node_state, in), 0},
		{"out", SD_JSON_VARIANT_OBJECT, read_way, offsetof(struct tunnel_node_state, out),
			0},
		LIST("leases", read_leases),
		LIST("replicas", read_replicas),
		{},
	};

	*(struct tunnel_node_state *)to = (struct tunnel_node_state){.seconds = TUNNEL_NEVER};
	return sd_json_dispatch(v, fields, SD_JSON_ALLOW_EXTENSIONS, to);
}

static int read_nodes(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	struct tunnel_report *r = to;

	return read_list(
		v, TUNNEL_NODES_MAX, sizeof(*r->nodes), read_node, (void **)&r->nodes, &r->n_nodes);
}

/* ---- the whole ---- */

static int read_edge(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	static const sd_json_dispatch_field fields[] = {
		LIST("nodes", read_nodes),
		NUMBER(struct tunnel_report, "withoutAddress", without_address),
		{},
	};

	return sd_json_dispatch(v, fields, SD_JSON_ALLOW_EXTENSIONS, to);
}

static int read_dial(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	static const sd_json_dispatch_field fields[] = {
		WORD(struct tunnel_dial, "state", state),
		TEXT(struct tunnel_dial, "edge", edge),
		TEXT(struct tunnel_dial, "error", error),
		NUMBER(struct tunnel_dial, "pauseMs", pause_ms),
		{},
	};

	return sd_json_dispatch(v, fields, SD_JSON_ALLOW_EXTENSIONS, to);
}

static int read_problem(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	static const sd_json_dispatch_field fields[] = {
		FLAG(struct tunnel_problem, "stands", stands),
		TEXT(struct tunnel_problem, "text", text),
		WORD(struct tunnel_problem, "file", file),
		{},
	};

	return sd_json_dispatch(v, fields, SD_JSON_ALLOW_EXTENSIONS, to);
}

int tunnel_report_read(sd_json_variant *v, struct tunnel_report *out)
{
	static const sd_json_dispatch_field fields[] = {
		LIST("peers", read_peers),
		{"edge", SD_JSON_VARIANT_OBJECT, read_edge, 0, 0},
		{"connector", SD_JSON_VARIANT_OBJECT, read_dial,
			offsetof(struct tunnel_report, dial), 0},
		{"problem", SD_JSON_VARIANT_OBJECT, read_problem,
			offsetof(struct tunnel_report, problem), 0},
		TALLIES(struct tunnel_report, "counters", counters),
		{},
	};

	*out = (struct tunnel_report){.json = sd_json_variant_ref(v)};
	int r = sd_json_dispatch(v, fields, SD_JSON_ALLOW_EXTENSIONS, out);
	if (r < 0)
		tunnel_report_clear(out);
	return r < 0 ? r : 0;
}

void tunnel_report_clear(struct tunnel_report *r)
{
	for (size_t i = 0; i < r->n_nodes; i++)
		free(r->nodes[i].replicas);
	free(r->nodes);
	free(r->peers);
	sd_json_variant_unref(r->json);
	*r = (struct tunnel_report){};
}

const struct tunnel_node_state *tunnel_report_node(
	const struct tunnel_report *r, const char *name, size_t guess)
{
	if (guess < r->n_nodes && strcmp(r->nodes[guess].name, name) == 0)
		return &r->nodes[guess];
	for (size_t i = 0; i < r->n_nodes; i++)
		if (strcmp(r->nodes[i].name, name) == 0)
			return &r->nodes[i];
	return nullptr;
}

const struct tunnel_replica_state *tunnel_report_replica(
	const struct tunnel_node_state *node, const char *name)
{
	for (size_t i = 0; node && i < node->n_replicas; i++)
		if (strcmp(node->replicas[i].name, name) == 0)
			return &node->replicas[i];
	return nullptr;
}
