/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_change: the methods of the control socket that plan and change.
 */
#include "daemon/answer.h"
#include "daemon/clock.h"
#include "daemon/reply.h"
#include "daemon/server.h"
#include "lib/api.h"
#include <errno.h>
#include <string.h>

struct apply_parameters {
	const char *content, *name;
	int64_t confirm_s;
	bool down;
};

static const char *name_of(const struct apply_parameters *p)
{
	return p->name ? p->name : "configuration";
}

static int reply_mistakes(
	sd_varlink *link, const struct config_diags *diags, const struct apply_parameters *p)
{
	autojson sd_json_variant *parameters = reply_invalid(diags, name_of(p));
	return sd_varlink_error(link, API_ERROR_CONFIG_INVALID, parameters);
}

static int reply_failed(sd_varlink *link, const char *id, const struct err *err)
{
	return sd_varlink_errorbo(link, id, SD_JSON_BUILD_PAIR_STRING("message", err->msg));
}

static unsigned remaining(const struct server_context *c)
{
	return reload_remaining(c->reload, clock_boottime_us());
}

static int reply_pending(sd_varlink *link, const struct server_context *c)
{
	return sd_varlink_errorbo(link, API_ERROR_CONFIRM_PENDING,
		SD_JSON_BUILD_PAIR_OBJECT(
			"pending", SD_JSON_BUILD_PAIR_UNSIGNED("remainingSeconds", remaining(c))));
}

/* ---- Plan ---- */

/* nullptr: what taking down would change. Takes over the configuration. */
static int plan(sd_varlink *link, struct server_context *c, struct config *config)
{
	struct gateway *g = c->reload->gateway;
	struct ops ops = {};
	struct err err = {};
	int r = gateway_plan(g->kernel, config ? GATEWAY_UP : GATEWAY_DOWN, config, g, &ops, &err);
	if (r >= 0)
		return answers_plan(c->answers, link, config, &ops);
	config_free(config);
	ops_clear(&ops);
	return reply_failed(link, API_ERROR_APPLY_FAILED, &err);
}

static int plan_text(sd_varlink *link, struct server_context *c, const char *text, size_t len,
	const struct apply_parameters *p)
{
	struct config *config = nullptr;
	struct config_diags diags = {};
	int r = config_parse(text, len, &config, &diags);
	r = r < 0 ? reply_mistakes(link, &diags, p) : plan(link, c, config);
	config_diags_clear(&diags);
	return r;
}

static int plan_running(
	sd_varlink *link, struct server_context *c, const struct apply_parameters *p)
{
	const struct reload *reload = c->reload;
	if (!reload->running)
		return sd_varlink_error(link, API_ERROR_NOT_CONFIGURED, nullptr);
	return plan_text(link, c, reload->running_text, reload->running_len, p);
}

int api_plan(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		{"content", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct apply_parameters, content), SD_JSON_NULLABLE},
		{"name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct apply_parameters, name), SD_JSON_NULLABLE},
		{"down", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
			offsetof(struct apply_parameters, down), SD_JSON_NULLABLE},
		{},
	};
	struct apply_parameters p = {};
	struct server_context *c = server_heard(userdata);
	int r = sd_varlink_dispatch(link, parameters, fields, &p);
	if (r != 0)
		return r;
	if (p.content && p.down)
		return sd_varlink_error_invalid_parameter_name(link, "down");
	if (p.down)
		return plan(link, c, nullptr);
	return p.content ? plan_text(link, c, p.content, strlen(p.content), &p)
			 : plan_running(link, c, &p);
}

/* ---- Apply ---- */

static int apply(sd_varlink *link, struct server_context *c, const struct apply_parameters *p)
{
	struct config_diags diags = {};
	struct ops ops = {};
	struct err err = {};
	unsigned window_s = p->confirm_s > 0 ? (unsigned)p->confirm_s : 0;
	int r = reload_apply(c->reload, p->content, strlen(p->content), window_s,
		clock_monotonic_us(), clock_boottime_us(), &ops, &diags, &err);
	c->changed(c->arg);
	if (r >= 0)
		r = answers_add(c->answers, link, ANSWER_APPLY, &ops);
	else if (diags.n)
		r = reply_mistakes(link, &diags, p);
	else if (r == -EBUSY && c->reload->deadline_us)
		r = reply_pending(link, c);
	else
		r = reply_failed(link, API_ERROR_APPLY_FAILED, &err);
	config_diags_clear(&diags);
	ops_clear(&ops);
	return r;
}

int api_apply(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		{"content", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct apply_parameters, content), SD_JSON_MANDATORY},
		{"name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct apply_parameters, name), SD_JSON_NULLABLE},
		{"confirmSeconds", SD_JSON_VARIANT_INTEGER, sd_json_dispatch_int64,
			offsetof(struct apply_parameters, confirm_s), SD_JSON_NULLABLE},
		{},
	};
	struct apply_parameters p = {.confirm_s = -1};
	struct server_context *c = server_heard(userdata);
	int r = sd_varlink_dispatch(link, parameters, fields, &p);
	if (r != 0)
		return r;
	if (p.confirm_s != -1 && (p.confirm_s < 1 || p.confirm_s > API_CONFIRM_MAX_S))
		return sd_varlink_error_invalid_parameter_name(link, "confirmSeconds");
	return apply(link, c, &p);
}

/* ---- Confirm, Undo, Down ---- */

int api_confirm(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	struct server_context *c = server_heard(userdata);
	struct err err = {};
	int r = server_no_parameters(link, parameters);
	if (r != 0)
		return r;
	r = reload_confirm(c->reload, &err);
	c->changed(c->arg);
	if (r == -ENOENT)
		return sd_varlink_error(link, API_ERROR_NOTHING_PENDING, nullptr);
	if (r < 0)
		return reply_failed(link, API_ERROR_APPLY_FAILED, &err);
	return sd_varlink_reply(link, nullptr);
}

int api_undo(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	struct server_context *c = server_heard(userdata);
	struct ops ops = {};
	struct err err = {};
	int r = server_no_parameters(link, parameters);
	if (r != 0)
		return r;
	r = reload_undo(c->reload, clock_monotonic_us(), clock_boottime_us(), &ops, &err);
	c->changed(c->arg);
	if (r == -ENOENT)
		r = sd_varlink_error(link, API_ERROR_NOTHING_TO_UNDO, nullptr);
	else if (r < 0)
		r = reply_failed(link, API_ERROR_APPLY_FAILED, &err);
	else
		r = answers_add(c->answers, link, ANSWER_UNDO, &ops);
	ops_clear(&ops);
	return r;
}

int api_down(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	struct server_context *c = server_heard(userdata);
	struct ops ops = {};
	struct err err = {};
	int r = server_no_parameters(link, parameters);
	if (r != 0)
		return r;
	r = reload_down(c->reload, clock_monotonic_us(), clock_realtime_us(), &ops, &err);
	c->changed(c->arg);
	r = r < 0 ? reply_failed(link, API_ERROR_DOWN_INCOMPLETE, &err)
		  : answers_add(c->answers, link, ANSWER_DOWN, &ops);
	ops_clear(&ops);
	return r;
}
