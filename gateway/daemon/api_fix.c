/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_fix: Fix: what is to be repaired comes from the last diagnosis, or from a new one of a
 * target. A preview changes nothing; what is done must be what a preview has shown: its caller
 * hands back the digest, which is of the diagnosis and of the operations in all their words.
 */
#include "daemon/clock.h"
#include "daemon/diagnose_config.h"
#include "daemon/diagnoses.h"
#include "daemon/fix_do.h"
#include "daemon/fix_frr.h"
#include "daemon/reply.h"
#include "daemon/server.h"
#include "diagnose/diagnose.h"
#include "lib/api.h"
#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEFTOVERS "leftovers"

constexpr size_t DIGEST_LEN = EVIDENCE_ID_LEN + 17;

struct fix_parameters {
	const char *code, *target, *digest;
	bool preview;
};

/* One call. With a target it waits for a diagnosis. */
struct fixing {
	sd_varlink *link; /* owned while it waits */
	void *client;
	struct server_context *context;
	enum code code; /* CODES = leftovers */
	bool preview;
	char digest[DIGEST_LEN]; /* that was shown; "" for a preview */
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

/* FNV-1a, 64 bits (RFC 9923): nobody gains by a collision with what he was shown himself. */
static void digest_of(const struct fixing *f, sd_json_variant *list, char out[static DIGEST_LEN])
{
	const struct diagnoses *d = f->context->diagnoses;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	autofree char *text = nullptr;

	if (sd_json_variant_format(list, 0, &text) < 0)
		out_of_memory();
	for (const char *p = text; *p; p++)
		hash = (hash ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	snprintf(out, DIGEST_LEN, "%s%016" PRIx64, f->code < CODES ? diagnoses_evidence(d)->id : "",
		hash);
}

static int reply_list(const struct fixing *f, sd_json_variant *list, sd_json_variant *commands)
{
	char digest[DIGEST_LEN];

	digest_of(f, list, digest);
	return sd_varlink_replybo(f->link, SD_JSON_BUILD_PAIR_VARIANT("operations", list),
		SD_JSON_BUILD_PAIR_STRING("digest", digest),
		SD_JSON_BUILD_PAIR_CONDITION(
			commands != nullptr, "commands", SD_JSON_BUILD_VARIANT(commands)));
}

/* Is it what was shown? */
static int check_shown(const struct fixing *f, sd_json_variant *list, struct err *err)
{
	char digest[DIGEST_LEN];

	digest_of(f, list, digest);
	if (!strcmp(digest, f->digest))
		return 0;
	return err_set(
		err, ESTALE, "what would be done is not what was shown any more; look at it again");
}

/* ---- the configuration, again or for the first time ---- */

static int plan_running(const struct fixing *f, struct ops *ops, struct err *err)
{
	struct gateway *g = f->context->reload->gateway;
	return gateway_plan(g->kernel, GATEWAY_UP, g->config, g, ops, err);
}

static int apply_running(const struct fixing *f, struct err *err)
{
	struct gateway *g = f->context->reload->gateway;

	gateway_mark(g, DIRTY_ALL);
	f->context->changed(f->context->arg);
	const struct track *failed = gateway_failure(g);
	return failed ? err_set(err, failed->error, "%s", failed->reason) : 0;
}

static int plan_kept(
	const struct fixing *f, const char *text, size_t len, struct ops *ops, struct err *err)
{
	struct reload *reload = f->context->reload;
	struct config_diags diags = {};
	struct config *config = nullptr;
	int r = config_parse(text, len, &config, &diags);

	if (r >= 0)
		r = gateway_plan(
			reload->gateway->kernel, GATEWAY_UP, config, reload->gateway, ops, err);
	else
		r = err_set(err, EOPNOTSUPP, "the configuration has mistakes; meshgw check");
	config_free(config);
	config_diags_clear(&diags);
	return r;
}

static int apply_kept(const struct fixing *f, const char *text, size_t len, struct err *err)
{
	struct config_diags diags = {};
	struct ops done = {};
	int r = reload_apply(f->context->reload, text, len, 0, clock_monotonic_us(),
		clock_boottime_us(), &done, &diags, err);

	f->context->changed(f->context->arg);
	ops_clear(&done);
	config_diags_clear(&diags);
	return r;
}

static int read_kept(const struct fixing *f, char **text, size_t *len, struct err *err)
{
	if (diagnose_config_text(f->context->reload, text, len) >= 0)
		return 0;
	return err_set(err, EOPNOTSUPP,
		"there is no configuration: write /etc/meshgw/meshgw.yaml and apply it");
}

static int apply(const struct fixing *f)
{
	bool up = f->context->reload->gateway->phase == GATEWAY_UP;
	const char *id = API_ERROR_NOT_FIXABLE;
	autofree char *text = nullptr;
	struct ops ops = {};
	struct err err = {};
	size_t len = 0;
	int r = up ? plan_running(f, &ops, &err) : read_kept(f, &text, &len, &err);

	if (r >= 0 && !up)
		r = plan_kept(f, text, len, &ops, &err);
	autojson sd_json_variant *list = r < 0 ? nullptr : reply_operations(&ops);
	ops_clear(&ops);
	if (r >= 0 && !f->preview)
		r = check_shown(f, list, &err);
	if (r >= 0 && !f->preview) {
		id = API_ERROR_APPLY_FAILED;
		r = up ? apply_running(f, &err) : apply_kept(f, text, len, &err);
		diagnoses_spend(f->context->diagnoses);
	}
	return r < 0 ? reply_failed(f->link, id, &err) : reply_list(f, list, nullptr);
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

static int perform(
	const struct fixing *f, struct fix_tools *tools, const struct fix *steps, struct err *err)
{
	int r = fix_do(tools, steps, err);

	diagnoses_spend(f->context->diagnoses);
	f->context->changed(f->context->arg);
	return r;
}

static int mend(const struct fixing *f)
{
	autojson sd_json_variant *list = nullptr, *commands = nullptr;
	struct fix_tools *tools = nullptr;
	struct fix steps = {};
	struct err err = {};
	const char *id = API_ERROR_NOT_FIXABLE;
	int r = fix_tools_open(&tools, &err);

	if (r >= 0)
		r = plan(f, tools, &steps, &err);
	if (r >= 0)
		r = fix_check(tools, &steps, &err);
	if (r >= 0) {
		list = reply_steps(&steps);
		commands = f->code == CODES ? fix_frr_commands(f->context->frr) : nullptr;
	}
	if (r >= 0 && !f->preview)
		r = check_shown(f, list, &err);
	if (r >= 0 && !f->preview) {
		id = API_ERROR_APPLY_FAILED;
		r = perform(f, tools, &steps, &err);
	}
	fix_tools_close(tools);
	return r < 0 ? reply_failed(f->link, id, &err) : reply_list(f, list, commands);
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

	if (f->code < CODES && (!v || v->code != f->code))
		return refuse(f);
	return f->code < CODES && fix_applies(f->code) ? apply(f) : mend(f);
}

/* ---- with a diagnosis first ---- */

static void fixing_free(struct fixing *f)
{
	server_on_gone(f->client, nullptr, nullptr);
	sd_varlink_unref(f->link);
	free(f);
}

static const char *id_of(const struct err *err)
{
	return err->code == EBUSY ? API_ERROR_BUSY : API_ERROR_TARGET_INVALID;
}

static void on_done(void *arg, sd_json_variant *verdict, sd_json_variant *, const struct err *err)
{
	struct fixing *f = arg;
	if (err)
		(void)reply_failed(f->link, id_of(err), err);
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
		return reply_failed(call->link, id_of(&err), &err);
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
		{"digest", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct fix_parameters, digest), SD_JSON_NULLABLE},
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
	if (p.preview == (p.digest != nullptr) || (p.digest && strlen(p.digest) >= DIGEST_LEN))
		return sd_varlink_error_invalid_parameter_name(link, "digest");
	snprintf(f.digest, sizeof(f.digest), "%s", p.digest ? p.digest : "");
	if (f.code == CODES && strcmp(p.code, LEFTOVERS) != 0)
		return sd_varlink_error_invalid_parameter_name(link, "code");
	if (f.code < CODES && !fix_knows(f.code)) {
		(void)err_set(
			&err, EOPNOTSUPP, "%s is nothing that meshgw can repair from here", p.code);
		return reply_failed(link, API_ERROR_NOT_FIXABLE, &err);
	}
	/* What is done rests on the diagnosis that was shown. */
	return p.target && p.preview && f.code < CODES ? diagnose(&f, p.target) : fix(&f);
}
