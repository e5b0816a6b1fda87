/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/reply.h"
#include "cli/reply_field.h"
#include "cli/reply_node.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const sd_json_dispatch_field range_fields[] = {
	TEXT(struct reply_range, "class", class),
	TEXT(struct reply_range, "prefix", prefix),
	{},
};

int reply_number_or_null(
	const char *name, sd_json_variant *v, sd_json_dispatch_flags_t flags, void *to)
{
	return sd_json_variant_is_null(v) ? 0 : sd_json_dispatch_uint64(name, v, flags, to);
}

static const sd_json_dispatch_field witness_fields[] = {
	TEXT(struct reply_witness, "address", address),
	NUMBER(struct reply_witness, "port", port),
	TEXT(struct reply_witness, "origin", origin),
	TEXT(struct reply_witness, "own", own),
	TEXT(struct reply_witness, "range", range),
	NUMBER_OR_NULL(struct reply_witness, "askedSecondsAgo", asked_s),
	TRUTH(struct reply_witness, "router", router),
	TRUTH(struct reply_witness, "masqueraded", masqueraded),
	{},
};

static int read_witness(sd_json_variant *v, struct reply_witness *out)
{
	*out = (struct reply_witness){.asked_s = UINT64_MAX};
	return sd_json_dispatch(v, witness_fields, SD_JSON_ALLOW_EXTENSIONS, out);
}

/* Lists of lists would have to be freed one by one: these stay in the reply. */
static int read_witnesses(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	struct reply_witness witness;

	for (size_t i = 0; i < sd_json_variant_elements(v); i++) {
		int r = read_witness(sd_json_variant_by_index(v, i), &witness);
		if (r < 0)
			return r;
	}
	*(sd_json_variant **)to = v;
	return 0;
}

static const sd_json_dispatch_field proof_fields[] = {
	TEXT(struct reply_proof, "state", state),
	TEXT(struct reply_proof, "why", why),
	NUMBER_OR_NULL(struct reply_proof, "sinceSeconds", since_s),
	{"witnesses", SD_JSON_VARIANT_ARRAY, read_witnesses,
		offsetof(struct reply_proof, witnesses), SD_JSON_MANDATORY},
	{},
};

static int read_proof(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	struct reply_proof *proof = to;

	if (sd_json_variant_is_null(v))
		return 0;
	*proof = (struct reply_proof){.set = true, .since_s = UINT64_MAX};
	return sd_json_dispatch(v, proof_fields, SD_JSON_ALLOW_EXTENSIONS, proof);
}

static const sd_json_dispatch_field network_fields[] = {
	TEXT(struct reply_network, "prefix", prefix),
	TEXT(struct reply_network, "interface", interface),
	TEXT(struct reply_network, "configured", configured),
	TEXT(struct reply_network, "effective", effective),
	{"proof", SD_JSON_VARIANT_OBJECT, read_proof, offsetof(struct reply_network, proof),
		SD_JSON_NULLABLE},
	{},
};

static const sd_json_dispatch_field object_fields[] = {
	TEXT(struct reply_object, "kind", kind),
	TEXT(struct reply_object, "name", name),
	TEXT(struct reply_object, "wanted", wanted),
	TEXT(struct reply_object, "state", state),
	TEXT_OR_NULL(struct reply_object, "reason", reason),
	{},
};

static const sd_json_dispatch_field condition_fields[] = {
	TEXT(struct reply_condition, "code", code),
	TEXT(struct reply_condition, "severity", severity),
	TEXT(struct reply_condition, "subject", subject),
	TEXT(struct reply_condition, "message", message),
	NUMBER(struct reply_condition, "since", since_us),
	TEXT_OR_NULL(struct reply_condition, "remedy", remedy),
	TEXT_OR_NULL(struct reply_condition, "dependsOn", depends_on),
	{},
};

static const sd_json_dispatch_field counter_fields[] = {
	TEXT(struct reply_counter, "name", name),
	NUMBER(struct reply_counter, "packets", packets),
	NUMBER(struct reply_counter, "bytes", bytes),
	{},
};

static const sd_json_dispatch_field change_fields[] = {
	TEXT(struct reply_change, "action", action),
	TEXT(struct reply_change, "kind", kind),
	TEXT(struct reply_change, "text", text),
	{},
};

static int read_changes(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	struct reply_change change;

	for (size_t i = 0; i < sd_json_variant_elements(v); i++) {
		int r = sd_json_dispatch(sd_json_variant_by_index(v, i), change_fields,
			SD_JSON_ALLOW_EXTENSIONS, &change);
		if (r < 0)
			return r;
	}
	*(sd_json_variant **)to = sd_json_variant_is_null(v) ? nullptr : v;
	return 0;
}

static const sd_json_dispatch_field operation_fields[] = {
	TEXT(struct reply_operation, "action", action),
	TEXT(struct reply_operation, "kind", kind),
	TEXT(struct reply_operation, "name", name),
	TEXT(struct reply_operation, "detail", detail),
	{"changes", SD_JSON_VARIANT_ARRAY, read_changes, offsetof(struct reply_operation, changes),
		SD_JSON_NULLABLE},
	{},
};

static const sd_json_dispatch_field diagnostic_fields[] = {
	TEXT(struct reply_diagnostic, "file", file),
	NUMBER(struct reply_diagnostic, "line", line),
	NUMBER(struct reply_diagnostic, "column", column),
	TEXT(struct reply_diagnostic, "path", path),
	TEXT(struct reply_diagnostic, "message", message),
	{},
};

static const sd_json_dispatch_field neighbor_fields[] = {
	TEXT(struct reply_neighbor, "address", address),
	TEXT(struct reply_neighbor, "remoteAs", remote_as),
	TEXT(struct reply_neighbor, "state", state),
	NUMBER_OR_NULL(struct reply_neighbor, "uptimeSeconds", uptime_s),
	NUMBER(struct reply_neighbor, "announced", announced),
	NUMBER(struct reply_neighbor, "accepted", accepted),
	TEXT_OR_NULL(struct reply_neighbor, "reason", reason),
	{},
};

static const sd_json_dispatch_field announcement_fields[] = {
	TEXT(struct reply_announcement, "prefix", prefix),
	TEXT(struct reply_announcement, "static", of_static),
	TRUTH(struct reply_announcement, "announced", announced),
	TEXT_OR_NULL(struct reply_announcement, "reason", reason),
	{},
};

static const sd_json_dispatch_field listener_fields[] = {
	TEXT(struct reply_listener, "address", address),
	NUMBER(struct reply_listener, "port", port),
	TEXT_OR_NULL(struct reply_listener, "reason", reason),
	{},
};

static const sd_json_dispatch_field pending_fields[] = {
	NUMBER(struct reply_pending, "remainingSeconds", remaining_s),
	{},
};

int reply_list_read(
	sd_json_variant *array, const sd_json_dispatch_field *fields, size_t size, struct list *out)
{
	struct list list = {.n = sd_json_variant_elements(array)};

	list.items = xcalloc(list.n, size);
	for (size_t i = 0; i < list.n; i++) {
		sd_json_variant *element = sd_json_variant_by_index(array, i);
		int r = sd_json_dispatch(
			element, fields, SD_JSON_ALLOW_EXTENSIONS, (char *)list.items + i * size);
		if (r < 0) {
			list_clear(&list);
			return r;
		}
	}
	list_clear(out); /* a field that is there twice */
	*out = list;
	return 0;
}

/* sd_json_dispatch_callback_t for an array of struct reply_NAME. */
#define LIST_READER(name)                                                                  \
	static int read_##name##_list(                                                     \
		const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)      \
	{                                                                                  \
		return reply_list_read(v, name##_fields, sizeof(struct reply_##name), to); \
	}
LIST_READER(range)
LIST_READER(network)
LIST_READER(object)
LIST_READER(condition)
LIST_READER(counter)
LIST_READER(operation)
LIST_READER(diagnostic)
LIST_READER(neighbor)
LIST_READER(announcement)
LIST_READER(listener)

static int read_pending(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	struct reply_pending *pending = to;

	if (sd_json_variant_is_null(v))
		return 0;
	pending->set = true;
	return sd_json_dispatch(v, pending_fields, SD_JSON_ALLOW_EXTENSIONS, pending);
}

#define LIST(type, name, member, of) \
	{name, SD_JSON_VARIANT_ARRAY, read_##of##_list, offsetof(type, member), SD_JSON_MANDATORY}
#define LIST_OR_NULL(type, name, member, of) \
	{name, SD_JSON_VARIANT_ARRAY, read_##of##_list, offsetof(type, member), SD_JSON_NULLABLE}
#define PENDING(type) \
	{"pending", SD_JSON_VARIANT_OBJECT, read_pending, offsetof(type, pending), SD_JSON_NULLABLE}

static const sd_json_dispatch_field bgp_fields[] = {
	NUMBER(struct reply_bgp, "asn", asn),
	TEXT(struct reply_bgp, "state", state),
	LIST(struct reply_bgp, "neighbors", neighbors, neighbor),
	LIST(struct reply_bgp, "announcements", announcements, announcement),
	{},
};

static int read_bgp(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	struct reply_bgp *bgp = to;

	if (sd_json_variant_is_null(v))
		return 0;
	bgp->set = true;
	return sd_json_dispatch(v, bgp_fields, SD_JSON_ALLOW_EXTENSIONS, bgp);
}

static const sd_json_dispatch_field bridge_fields[] = {
	TRUTH(struct reply_bridge, "attached", attached),
	NUMBER(struct reply_bridge, "generation", generation),
	NUMBER(struct reply_bridge, "routes", routes),
	LIST(struct reply_bridge, "listeners", listeners, listener),
	{},
};

static int read_bridge(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	struct reply_bridge *bridge = to;

	if (sd_json_variant_is_null(v))
		return 0;
	bridge->set = true;
	return sd_json_dispatch(v, bridge_fields, SD_JSON_ALLOW_EXTENSIONS, bridge);
}

static const sd_json_dispatch_field status_fields[] = {
	TEXT(struct status, "version", version),
	TEXT(struct status, "phase", phase),
	{"downSince", SD_JSON_VARIANT_UNSIGNED, reply_number_or_null,
		offsetof(struct status, down_since_us), SD_JSON_NULLABLE},
	TEXT_OR_NULL(struct status, "meshInterface", mesh_interface),
	LIST(struct status, "ranges", ranges, range),
	LIST(struct status, "networks", networks, network),
	LIST(struct status, "objects", objects, object),
	LIST(struct status, "conditions", conditions, condition),
	LIST(struct status, "counters", counters, counter),
	PENDING(struct status),
	NUMBER(struct status, "repairs", repairs),
	{"bgp", SD_JSON_VARIANT_OBJECT, read_bgp, offsetof(struct status, bgp), SD_JSON_NULLABLE},
	{"bridge", SD_JSON_VARIANT_OBJECT, read_bridge, offsetof(struct status, bridge),
		SD_JSON_NULLABLE},
	{"tunnel", SD_JSON_VARIANT_OBJECT, tunnel_dispatch, offsetof(struct status, tunnel),
		SD_JSON_NULLABLE},
	{"flows", SD_JSON_VARIANT_ARRAY, flows_dispatch, offsetof(struct status, flows),
		SD_JSON_NULLABLE},
	{},
};

static int read_commands(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	for (size_t i = 0; i < sd_json_variant_elements(v); i++)
		if (!sd_json_variant_is_string(sd_json_variant_by_index(v, i)))
			return -EINVAL;
	*(sd_json_variant **)to = sd_json_variant_is_null(v) ? nullptr : v;
	return 0;
}

static const sd_json_dispatch_field changes_fields[] = {
	LIST(struct changes, "operations", operations, operation),
	LIST_OR_NULL(struct changes, "conditions", conditions, condition),
	PENDING(struct changes),
	TEXT_OR_NULL(struct changes, "digest", digest),
	{"commands", SD_JSON_VARIANT_ARRAY, read_commands, offsetof(struct changes, commands),
		SD_JSON_NULLABLE},
	{},
};

struct config_invalid {
	struct list diagnostics;
	uint64_t total;
};

static const sd_json_dispatch_field config_invalid_fields[] = {
	LIST(struct config_invalid, "diagnostics", diagnostics, diagnostic),
	{"total", SD_JSON_VARIANT_UNSIGNED, reply_number_or_null,
		offsetof(struct config_invalid, total), SD_JSON_NULLABLE},
	{},
};

int status_read(sd_json_variant *reply, struct status *out)
{
	*out = (struct status){};
	if (sd_json_dispatch(reply, status_fields, SD_JSON_ALLOW_EXTENSIONS, out) < 0) {
		status_clear(out);
		return -EINVAL;
	}
	out->raw = sd_json_variant_ref(reply);
	return 0;
}

int changes_read(sd_json_variant *reply, struct changes *out)
{
	*out = (struct changes){};
	if (sd_json_dispatch(reply, changes_fields, SD_JSON_ALLOW_EXTENSIONS, out) < 0) {
		changes_clear(out);
		return -EINVAL;
	}
	out->raw = sd_json_variant_ref(reply);
	return 0;
}

int diagnostics_read(sd_json_variant *parameters, struct list *out, uint64_t *total)
{
	struct config_invalid invalid = {};

	*out = (struct list){};
	if (!parameters || sd_json_dispatch(parameters, config_invalid_fields,
				   SD_JSON_ALLOW_EXTENSIONS, &invalid) < 0) {
		list_clear(&invalid.diagnostics);
		return -EINVAL;
	}
	*out = invalid.diagnostics;
	if (total)
		*total = invalid.total > out->n ? invalid.total : out->n;
	return 0;
}

bool operation_change(const struct reply_operation *o, size_t i, struct reply_change *out)
{
	*out = (struct reply_change){};
	if (!o->changes || i >= sd_json_variant_elements(o->changes))
		return false;
	return sd_json_dispatch(sd_json_variant_by_index(o->changes, i), change_fields,
		       SD_JSON_ALLOW_EXTENSIONS, out) >= 0;
}

bool proof_witness(const struct reply_proof *p, size_t i, struct reply_witness *out)
{
	*out = (struct reply_witness){};
	if (!p->witnesses || i >= sd_json_variant_elements(p->witnesses))
		return false;
	return read_witness(sd_json_variant_by_index(p->witnesses, i), out) >= 0;
}

void list_clear(struct list *l)
{
	free(l->items);
	*l = (struct list){};
}

void status_clear(struct status *s)
{
	list_clear(&s->ranges);
	list_clear(&s->networks);
	list_clear(&s->objects);
	list_clear(&s->conditions);
	list_clear(&s->counters);
	list_clear(&s->bgp.neighbors);
	list_clear(&s->bgp.announcements);
	list_clear(&s->bridge.listeners);
	reply_tunnel_clear(&s->tunnel);
	list_clear(&s->flows);
	sd_json_variant_unref(s->raw);
	*s = (struct status){};
}

void changes_clear(struct changes *c)
{
	list_clear(&c->operations);
	list_clear(&c->conditions);
	sd_json_variant_unref(c->raw);
	*c = (struct changes){};
}

size_t status_count_objects(const struct status *s, const char *state)
{
	const struct reply_object *list = s->objects.items;
	size_t n = 0;

	for (size_t i = 0; i < s->objects.n; i++)
		n += strcmp(list[i].state, state) == 0;
	return n;
}

size_t status_count_conditions(const struct status *s, const char *severity)
{
	const struct reply_condition *list = s->conditions.items;
	size_t n = 0;

	for (size_t i = 0; i < s->conditions.n; i++)
		n += strcmp(list[i].severity, severity) == 0;
	return n;
}

size_t status_count_networks(const struct status *s, const char *effective)
{
	const struct reply_network *list = s->networks.items;
	size_t n = 0;

	for (size_t i = 0; i < s->networks.n; i++)
		n += strcmp(list[i].effective, effective) == 0;
	return n;
}
