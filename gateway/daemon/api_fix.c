/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_fix: Fix: what is to be repaired comes from the last diagnosis, or from a new one of a
 * target. Its caller has asked for consent; a preview changes nothing.
 */
#include "daemon/clock.h"
#include "daemon/diagnose_config.h"
#include "daemon/diagnoses.h"
#include "daemon/fix_do.h"
#include "daemon/reply.h"
#include "daemon/server.h"
#include "diagnose/diagnose.h"
#include "lib/api.h"
#include "lib/json.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LEFTOVERS "leftovers"

struct fix_parameters {
	const char *code, *target;
	bool preview;
};

/* One call. With a target it waits for a diagnosis. */
struct fixing {
	sd_varlink *link; /* owned while it waits */
	void *client;
	struct server_context *context;
	enum code code; /* CODES = leftovers */
	bool preview;
	struct diagnose_ticket *ticket;
};

static int reply_failed(sd_varlink *link, const char *id, const struct err *err)
{
	return sd_varlink_errorbo(link, id, SD_JSON_BUILD_PAIR_STRING("message", err->msg));
}

static sd_json_variant *reply_steps(const struct fix *f)
{
	sd_json_variant *v = nullptr;

	if (sd_json_variant_new_array(&v, nullptr, 0) < 0)
		out_of_memory();
	for (size_t i = 0; i < f->n; i++) {
		const struct fix_step *step = &f->list[i];
		char name[FIX_TEXT_LEN], detail[FIX_TEXT_LEN];
		if (sd_json_variant_append_arraybo(&v,
			    SD_JSON_BUILD_PAIR_STRING("action", fix_action_str(step->kind)),
			    SD_JSON_BUILD_PAIR_STRING("kind", fix_kind_str(step->kind)),
			    SD_JSON_BUILD_PAIR_STRING("name", fix_name(step, name)),
			    SD_JSON_BUILD_PAIR_STRING("detail", fix_detail(step, detail))) < 0)
			out_of_memory();
	}
	return v;
}

static int reply_list(sd_varlink *link, sd_json_variant *list)
{
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("operations", list));
}

/* ---- the configuration, again or for the first time ---- */

static int apply_running(const struct fixing *f, struct ops *ops, struct err *err)
{
	struct gateway *g = f->context->reload->gateway;
	int r = gateway_plan(g->kernel, GATEWAY_UP, g->config, g, ops, err);

	if (r >= 0 && !f->preview) {
		gateway_mark(g, DIRTY_ALL);
		f->context->changed(f->context->arg);
		const struct track *failed = gateway_failure(g);
		if (failed)
			r = err_set(err, failed->error, "%s", failed->reason);
	}
	return r;
}

static int apply_kept(const struct fixing *f, struct ops *ops, struct err *err)
{
	struct reload *reload = f->context->reload;
	struct config_diags diags = {};
	struct config *config = nullptr;
	char *text = nullptr;
	size_t len = 0;
	int r = diagnose_config_text(reload, &text, &len);

	if (r < 0)
		return err_set(err, EOPNOTSUPP,
			"there is no configuration: write /etc/meshgw/meshgw.yaml and apply it");
	if (f->preview) {
		r = config_parse(text, len, &config, &diags);
		if (r >= 0)
			r = gateway_plan(reload->gateway->kernel, GATEWAY_UP, config,
				reload->gateway, ops, err);
		config_free(config);
	} else {
		r = reload_apply(reload, text, len, 0, clock_monotonic_us(), clock_boottime_us(),
			ops, &diags, err);
		f->context->changed(f->context->arg);
	}
	if (r < 0 && diags.n)
		r = err_set(err, EOPNOTSUPP, "the configuration has mistakes; meshgw check");
	config_diags_clear(&diags);
	free(text);
	return r;
}

static int apply(const struct fixing *f)
{
	bool up = f->context->reload->gateway->phase == GATEWAY_UP;
	struct ops ops = {};
	struct err err = {};
	int r = up ? apply_running(f, &ops, &err) : apply_kept(f, &ops, &err);

	if (r < 0) {
		ops_clear(&ops);
		return reply_failed(f->link,
			r == -EOPNOTSUPP ? API_ERROR_NOT_FIXABLE : API_ERROR_APPLY_FAILED, &err);
	}
	autojson sd_json_variant *list = reply_operations(&ops);
	ops_clear(&ops);
	return reply_list(f->link, list);
}

/* ---- steps ---- */

static int plan(const struct fixing *f, struct fix_tools *tools, struct fix *out, struct err *err)
{
	struct server_context *c = f->context;
	struct config *config = nullptr;
	struct flow none = {};

	if (f->code < CODES)
		return fix_plan(diagnoses_decided(c->diagnoses), diagnoses_evidence(c->diagnoses),
			out, err);
	int r = diagnose_config(c->reload, &none, &config, err);
	if (r >= 0)
		r = fix_find_leftovers(tools, config, out, err);
	config_free(config);
	return r;
}

static int mend(const struct fixing *f)
{
	struct fix_tools *tools = nullptr;
	struct fix steps = {};
	struct err err = {};
	const char *id = API_ERROR_NOT_FIXABLE;
	int r = fix_tools_open(&tools, &err);

	if (r >= 0)
		r = plan(f, tools, &steps, &err);
	if (r >= 0)
		r = fix_check(tools, &steps, &err);
	if (r >= 0 && !f->preview) {
		id = API_ERROR_APPLY_FAILED;
		r = fix_do(tools, &steps, &err);
		diagnoses_spend(f->context->diagnoses);
		f->context->changed(f->context->arg);
	}
	fix_tools_close(tools);
	if (r < 0)
		return reply_failed(f->link, id, &err);
	autojson sd_json_variant *list = reply_steps(&steps);
	return reply_list(f->link, list);
}

static int refuse(const struct fixing *f)
{
	const struct verdict *v = diagnoses_decided(f->context->diagnoses);
	struct err err = {};

	if (!v)
		(void)err_set(&err, ENOENT,
			"no diagnosis says what to repair; meshgw diagnose TARGET, or name the "
			"target");
	else
		(void)err_set(&err, ENOENT, "the diagnosis says %s, and not %s", code_str(v->code),
			code_str(f->code));
	return reply_failed(f->link, API_ERROR_NOT_FIXABLE, &err);
}

static int fix(const struct fixing *f)
{
	const struct verdict *v = diagnoses_decided(f->context->diagnoses);

	if (f->code < CODES && fix_applies(f->code))
		return apply(f);
	if (f->code < CODES && (!v || v->code != f->code))
		return refuse(f);
	return mend(f);
}

/* ---- with a diagnosis first ---- */

static void fixing_free(struct fixing *f)
{
	server_on_gone(f->client, nullptr, nullptr);
	sd_varlink_unref(f->link);
	free(f);
}

static void on_done(void *arg, sd_json_variant *verdict, sd_json_variant *, const struct err *err)
{
	struct fixing *f = arg;
	if (err)
		(void)reply_failed(f->link, API_ERROR_TARGET_INVALID, err);
	else if (verdict)
		(void)fix(f);
	fixing_free(f);
}

static void on_gone(void *arg)
{
	struct fixing *f = arg;
	diagnoses_cancel(f->ticket);
	fixing_free(f);
}

static int diagnose(const struct fixing *call, const char *target)
{
	struct fixing *f = xcalloc(1, sizeof(*f));
	struct err err = {};
	struct diagnoses_ask ask = {
		.target = target, .limit_us = DIAGNOSE_LIMIT_US, .done = on_done, .arg = f};

	*f = *call;
	f->link = sd_varlink_ref(call->link);
	int r = diagnoses_begin(f->context->diagnoses, &ask, &f->ticket, &err);
	if (r < 0) {
		fixing_free(f);
		return reply_failed(call->link, API_ERROR_TARGET_INVALID, &err);
	}
	server_takes(call->client, ask.limit_us);
	server_on_gone(call->client, on_gone, f);
	return 0;
}

int api_fix(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		{"code", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct fix_parameters, code), SD_JSON_MANDATORY},
		{"target", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct fix_parameters, target), SD_JSON_NULLABLE},
		{"preview", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
			offsetof(struct fix_parameters, preview), SD_JSON_MANDATORY},
		{},
	};
	struct fix_parameters p = {};
	struct err err = {};
	struct fixing f = {.link = link, .client = userdata, .context = server_heard(userdata)};
	int r = sd_varlink_dispatch(link, parameters, fields, &p);
	if (r != 0)
		return r;
	f.code = code_parse(p.code);
	f.preview = p.preview;
	if (f.code == CODES && strcmp(p.code, LEFTOVERS) != 0)
		return sd_varlink_error_invalid_parameter_name(link, "code");
	if (f.code < CODES && !fix_knows(f.code)) {
		(void)err_set(
			&err, EOPNOTSUPP, "%s is nothing that meshgw can repair from here", p.code);
		return reply_failed(link, API_ERROR_NOT_FIXABLE, &err);
	}
	return p.target && f.code < CODES ? diagnose(&f, p.target) : fix(&f);
}
