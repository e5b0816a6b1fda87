/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reply: the daemon's replies as typed values.
 *
 * Reading checks presence and type of every field that io.meshgw.Gateway promises; fields that
 * are not known here are ignored, so that an older client understands a newer daemon. A reply
 * that does not fit is an error, never half a picture. Strings are borrowed from the JSON, which
 * a value keeps a reference of, and are still foreign: only term.h may print them.
 */
#include "cli/reply_list.h"
#include "cli/reply_tunnel.h"
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-json.h>

struct reply_range {
	const char *class, *prefix;
};

struct reply_witness {
	const char *address;
	uint64_t port;
	const char *origin, *own, *range;
	uint64_t asked_s; /* ago; UINT64_MAX = never */
	bool router, masqueraded;
};

/* Of a network in mode auto. */
struct reply_proof {
	bool set;
	const char *state, *why;
	uint64_t since_s;           /* UINT64_MAX = unknown */
	sd_json_variant *witnesses; /* array, checked; borrowed */
};

struct reply_network {
	const char *prefix, *interface, *configured, *effective;
	struct reply_proof proof;
};

struct reply_object {
	const char *kind, *name, *wanted, *state;
	const char *reason; /* may be nullptr */
};

struct reply_condition {
	const char *code, *severity, *subject, *message;
	uint64_t since_us;               /* CLOCK_REALTIME */
	const char *remedy, *depends_on; /* may be nullptr */
};

struct reply_counter {
	const char *name;
	uint64_t packets, bytes;
};

/* A statement of the configuration that comes or goes. */
struct reply_change {
	const char *action, *kind, *text;
};

struct reply_operation {
	const char *action, *kind, *name, *detail;
	sd_json_variant *changes; /* array, checked; borrowed like the strings, may be nullptr */
};

struct reply_diagnostic {
	const char *file;
	uint64_t line, column;
	const char *path, *message;
};

struct reply_pending {
	bool set;
	uint64_t remaining_s;
};

struct reply_neighbor {
	const char *address, *remote_as, *state;
	uint64_t uptime_s;            /* 0 = there is no session */
	uint64_t announced, accepted; /* prefixes */
	const char *reason;           /* may be nullptr */
};

struct reply_announcement {
	const char *prefix, *of_static;
	bool announced;
	const char *reason; /* may be nullptr */
};

struct reply_bgp {
	bool set;
	uint64_t asn;
	const char *state;
	struct list neighbors, announcements;
};

struct reply_listener {
	const char *address;
	uint64_t port;
	const char *reason; /* nullptr: it listens */
};

struct reply_bridge {
	bool set, attached;
	uint64_t generation, routes;
	struct list listeners;
};

struct status {
	const char *version, *phase;
	uint64_t down_since_us;     /* CLOCK_REALTIME, 0 = not taken down */
	const char *mesh_interface; /* may be nullptr */
	struct list ranges, networks, objects, conditions, counters;
	struct reply_pending pending;
	uint64_t repairs;
	struct reply_bgp bgp;
	struct reply_bridge bridge;
	struct reply_tunnel tunnel;
	struct list flows; /* struct reply_flow (reply_node.h) */
	sd_json_variant *raw;
};

/* What Plan, Apply, Undo, Down and Fix answer. */
struct changes {
	struct list operations, conditions;
	struct reply_pending pending;
	const char *digest;        /* of Fix; else nullptr */
	sd_json_variant *commands; /* of Fix: strings, checked; borrowed, may be nullptr */
	sd_json_variant *raw;
};

/* 0, or -EINVAL and *out empty. */
[[nodiscard]] int status_read(sd_json_variant *reply, struct status *out);
[[nodiscard]] int changes_read(sd_json_variant *reply, struct changes *out);
/* The parameters of ConfigInvalid: a list of struct reply_diagnostic, and how many mistakes there
 * are, which may be more. total may be nullptr. */
[[nodiscard]] int diagnostics_read(sd_json_variant *parameters, struct list *out, uint64_t *total);
/* Those of an operation, from 0 on; false behind the last one. */
bool operation_change(const struct reply_operation *o, size_t i, struct reply_change *out);

/* Those of a proof, from 0 on; false behind the last one. */
bool proof_witness(const struct reply_proof *p, size_t i, struct reply_witness *out);

void status_clear(struct status *s);
void changes_clear(struct changes *c);

/* How many objects are in this state, conditions of this severity, networks of this mode? */
size_t status_count_objects(const struct status *s, const char *state);
size_t status_count_conditions(const struct status *s, const char *severity);
size_t status_count_networks(const struct status *s, const char *effective);
