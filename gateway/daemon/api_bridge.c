/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_bridge: what the HTTP bridge may ask.
 */
#include "conf/authority.h"
#include "daemon/bridge.h"
#include "daemon/bridge_ask.h"
#include "daemon/server.h"
#include "lib/api.h"
#include "verdict/evidence.h"
#include <string.h>

int api_bridge_attach(sd_varlink *link, sd_json_variant *parameters,
	sd_varlink_method_flags_t flags, void *userdata)
{
	struct server_context *c = server_heard(userdata);
	int r = server_no_parameters(link, parameters);

	if (r != 0)
		return r;
	if (!c->bridge || server_drops(link))
		return server_deny(link);
	if (!(flags & SD_VARLINK_METHOD_MORE))
		return bridge_reply(c->bridge, link);
	return bridge_attach(c->bridge, link, userdata) < 0 ? server_deny(link) : 0;
}

struct report_parameters {
	uint64_t generation;
	const char *refusal;
};

int api_bridge_report(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		{"generation", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
			offsetof(struct report_parameters, generation), SD_JSON_MANDATORY},
		{"refusal", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct report_parameters, refusal), SD_JSON_NULLABLE},
		{},
	};
	struct report_parameters p = {};
	const struct server_context *c = server_heard(userdata);
	int r = sd_varlink_dispatch(link, parameters, fields, &p);

	if (r != 0)
		return r;
	if (!c->bridge || server_drops(link))
		return server_deny(link);
	bridge_report(c->bridge, p.generation, p.refusal);
	return sd_varlink_reply(link, nullptr);
}

struct target_parameters {
	const char *target, *from;
	int64_t deadline_ms;
	bool active;
};

static int ask(const struct server_context *c, sd_varlink *link, void *client,
	const struct target_parameters *p)
{
	char canonical[AUTHORITY_STRLEN];

	if (!bridge_ask_is_allowed(c->reload->gateway->config, p->target, canonical))
		return sd_varlink_error(link, API_ERROR_TARGET_NOT_ALLOWED, nullptr);
	return bridge_ask(bridge_asks(c->bridge), link, client, canonical, p->active,
		(uint64_t)p->deadline_ms * 1000);
}

static int ask_own(const struct server_context *c, sd_varlink *link, void *client,
	const struct target_parameters *p)
{
	struct bridge_upstream_ask upstream;

	if (!bridge_upstream_find(
		    c->reload->gateway->config, bridge_secrets(c->bridge), p->target, &upstream))
		return sd_varlink_error(link, API_ERROR_TARGET_NOT_ALLOWED, nullptr);
	return bridge_ask_own(
		bridge_asks(c->bridge), link, client, &upstream, (uint64_t)p->deadline_ms * 1000);
}

int api_diagnose_target(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		{"target", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct target_parameters, target), SD_JSON_MANDATORY},
		{"deadlineMs", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_int64,
			offsetof(struct target_parameters, deadline_ms), SD_JSON_NULLABLE},
		{"from", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct target_parameters, from), SD_JSON_NULLABLE},
		{"active", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
			offsetof(struct target_parameters, active), SD_JSON_NULLABLE},
		{},
	};
	struct target_parameters p = {.deadline_ms = BRIDGE_ASK_DEFAULT_US / 1000};
	const struct server_context *c = server_heard(userdata);
	int r = sd_varlink_dispatch(link, parameters, fields, &p);

	if (r != 0)
		return r;
	if (!c->bridge || server_drops(link))
		return server_deny(link);
	if (p.deadline_ms < (int64_t)(BRIDGE_ASK_MIN_US / 1000) ||
		p.deadline_ms > (int64_t)(BRIDGE_ASK_MAX_US / 1000))
		return sd_varlink_error_invalid_parameter_name(link, "deadlineMs");
	if (p.from && strcmp(p.from, FLOW_FROM_GATEWAY) != 0)
		return sd_varlink_error_invalid_parameter_name(link, "from");
	return p.from ? ask_own(c, link, userdata, &p) : ask(c, link, userdata, &p);
}
