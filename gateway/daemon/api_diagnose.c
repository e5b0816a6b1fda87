/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_diagnose: Diagnose, and the last one again.
 */
#include "daemon/diagnoses.h"
#include "daemon/server.h"
#include "diagnose/diagnose.h"
#include "lib/api.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>

struct diagnose_parameters {
	const char *target, *from;
	bool passive;
	int64_t timeout_ms;
};

/* A client that waits. */
struct waiting {
	sd_varlink *link;
	void *client; /* userdata of its connection */
	struct diagnose_ticket *ticket;
};

static void waiting_free(struct waiting *w)
{
	server_on_gone(w->client, nullptr, nullptr);
	sd_varlink_unref(w->link);
	free(w);
}

static int refuse(sd_varlink *link, const struct err *err)
{
	return sd_varlink_errorbo(link,
		err->code == EBUSY ? API_ERROR_BUSY : API_ERROR_TARGET_INVALID,
		SD_JSON_BUILD_PAIR_STRING("message", err->msg));
}

static void on_done(
	void *arg, sd_json_variant *verdict, sd_json_variant *record, const struct err *err)
{
	struct waiting *w = arg;
	if (err)
		(void)refuse(w->link, err);
	else if (verdict)
		(void)sd_varlink_replybo(w->link, SD_JSON_BUILD_PAIR_VARIANT("verdict", verdict),
			SD_JSON_BUILD_PAIR_VARIANT("record", record));
	waiting_free(w);
}

static void on_gone(void *arg)
{
	struct waiting *w = arg;
	diagnoses_cancel(w->ticket);
	waiting_free(w);
}

static int begin(sd_varlink *link, struct server_context *c, void *client,
	const struct diagnose_parameters *p)
{
	struct waiting *w = xcalloc(1, sizeof(*w));
	struct err err = {};
	struct diagnoses_ask ask = {.target = p->target,
		.from = p->from,
		.passive = p->passive,
		.limit_us = (uint64_t)p->timeout_ms * 1000,
		.done = on_done,
		.arg = w};

	*w = (struct waiting){.link = sd_varlink_ref(link), .client = client};
	int r = diagnoses_begin(c->diagnoses, &ask, &w->ticket, &err);
	if (r < 0) {
		waiting_free(w);
		return refuse(link, &err);
	}
	server_takes(client, ask.limit_us);
	server_on_gone(client, on_gone, w);
	return 0;
}

int api_diagnose(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		{"target", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct diagnose_parameters, target), SD_JSON_MANDATORY},
		{"from", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct diagnose_parameters, from), SD_JSON_NULLABLE},
		{"passive", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
			offsetof(struct diagnose_parameters, passive), SD_JSON_NULLABLE},
		{"timeoutMs", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_int64,
			offsetof(struct diagnose_parameters, timeout_ms), SD_JSON_NULLABLE},
		{},
	};
	struct diagnose_parameters p = {.timeout_ms = DIAGNOSE_LIMIT_US / 1000};
	struct server_context *c = server_heard(userdata);
	int r = sd_varlink_dispatch(link, parameters, fields, &p);
	if (r != 0)
		return r;
	if (p.timeout_ms < (int64_t)(DIAGNOSE_LIMIT_MIN_US / 1000) ||
		p.timeout_ms > (int64_t)(DIAGNOSE_LIMIT_MAX_US / 1000))
		return sd_varlink_error_invalid_parameter_name(link, "timeoutMs");
	return begin(link, c, userdata, &p);
}

int api_recall(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	const struct server_context *c = server_heard(userdata);
	int r = server_no_parameters(link, parameters);
	if (r != 0)
		return r;
	if (server_drops(link))
		return server_deny(link);
	if (!diagnoses_verdict(c->diagnoses))
		return sd_varlink_error(link, API_ERROR_NOTHING_TO_RECALL, nullptr);
	return sd_varlink_replybo(link,
		SD_JSON_BUILD_PAIR_VARIANT("verdict", diagnoses_verdict(c->diagnoses)),
		SD_JSON_BUILD_PAIR_VARIANT("record", diagnoses_record(c->diagnoses)));
}
