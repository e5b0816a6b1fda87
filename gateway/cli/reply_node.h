/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reply_node: what Doctor and Follow answer, as typed values; rules as in reply.h.
 */
#include "cli/reply.h"

struct reply_check {
	const char *name, *title, *result, *reason;
	const char *code, *remedy; /* may be nullptr */
};

struct checks {
	struct list list; /* struct reply_check */
	sd_json_variant *raw;
};

/* Flows to one target that ended in the same way. */
struct reply_flow {
	const char *target, *code, *confidence, *summary, *client;
	uint64_t count, first_us, last_us; /* times: CLOCK_REALTIME */
};

/* 0, or -EINVAL and *out empty. */
[[nodiscard]] int checks_read(sd_json_variant *reply, struct checks *out);
void checks_clear(struct checks *c);
size_t checks_count(const struct checks *c, const char *result);

/* One flow; the strings are borrowed from it. */
[[nodiscard]] int flow_read(sd_json_variant *flow, struct reply_flow *out);
/* sd_json_dispatch_callback_t for a struct list of them. */
int flows_dispatch(const char *name, sd_json_variant *v, sd_json_dispatch_flags_t, void *list);
