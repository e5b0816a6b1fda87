/* SPDX-License-Identifier: Apache-2.0 */
/*
 * once_diagnose: a diagnosis, or a look at the node, where no daemon runs, as one finds it before
 * anything is set up. Looks at this host as the daemon would and changes nothing.
 */
#include "daemon/clock.h"
#include "daemon/diagnoses.h"
#include "daemon/examine.h"
#include "daemon/once.h"
#include "daemon/once_int.h"
#include "lib/api.h"
#include "lib/json.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct answer {
	sd_event *event;
	int status;
};

static void on_done(
	void *arg, sd_json_variant *verdict, sd_json_variant *record, const struct err *err)
{
	struct answer *a = arg;
	autojson sd_json_variant *v = nullptr;

	(void)sd_event_exit(a->event, 0);
	if (err) {
		a->status = once_print_failure(API_ERROR_TARGET_INVALID, err);
		return;
	}
	if (sd_json_buildo(&v, SD_JSON_BUILD_PAIR_VARIANT("verdict", verdict),
		    SD_JSON_BUILD_PAIR_VARIANT("record", record)) < 0)
		abort();
	a->status = once_print(v, 0);
}

static int diagnose(
	struct server_context *context, const struct once_diagnosis *ask, struct answer *a)
{
	struct diagnoses *all = diagnoses_new(a->event, context);
	struct diagnose_ticket *ticket = nullptr;
	struct err err = {};
	struct diagnoses_ask question = {.target = ask->target,
		.from = ask->from,
		.passive = ask->passive,
		.limit_us = ask->limit_us,
		.done = on_done,
		.arg = a};

	int r = diagnoses_begin(all, &question, &ticket, &err);
	if (r < 0)
		a->status = once_print_failure(API_ERROR_TARGET_INVALID, &err);
	else if (sd_event_loop(a->event) < 0)
		abort();
	diagnoses_free(all);
	return a->status;
}

/* A daemon that never was: it has seen this host once. */
struct nobody {
	struct gateway gateway;
	struct reload reload;
	struct conditions none;
	struct server_context context;
};

static void nobody_init(
	struct nobody *n, const struct once_options *o, struct kernel *kernel, struct store *store)
{
	*n = (struct nobody){};
	n->context = (struct server_context){.reload = &n->reload, .conditions = &n->none};
	gateway_init(&n->gateway, kernel, nullptr, nullptr);
	reload_init(&n->reload, &n->gateway, store, o->etc_path);
	(void)gateway_pass(&n->gateway, clock_monotonic_us());
}

static void nobody_clear(struct nobody *n)
{
	reload_clear(&n->reload);
	gateway_clear(&n->gateway);
}

int once_diagnose(const struct once_options *o, const struct once_diagnosis *ask,
	struct kernel *kernel, struct store *store)
{
	struct nobody n;
	struct answer a = {.status = 1};

	if (sd_event_new(&a.event) < 0)
		abort();
	nobody_init(&n, o, kernel, store);
	diagnose(&n.context, ask, &a);
	nobody_clear(&n);
	sd_event_unref(a.event);
	return a.status;
}

int once_doctor(const struct once_options *o, struct kernel *kernel, struct store *store)
{
	struct nobody n;

	nobody_init(&n, o, kernel, store);
	sd_json_variant *reply = examine_reply(&n.context);
	nobody_clear(&n);
	int status = once_print(reply, 0);
	sd_json_variant_unref(reply);
	return status;
}
