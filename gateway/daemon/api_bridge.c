/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_bridge: what the HTTP bridge may ask.
 */
#include "conf/authority.h"
#include "daemon/bridge.h"
#include "daemon/bridge_ask.h"
#include "daemon/server.h"
#include "lib/api.h"

int api_bridge_attach(sd_varlink *link, sd_json_variant *parameters,
	sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field none[] = {{}};
	struct server_context *c = server_heard(userdata);
	int r = sd_varlink_dispatch(link, parameters, none, nullptr);

	if (r != 0)
		return r;
	if (!c->bridge || server_drops(link))
		return sd_varlink_error(link, SD_VARLINK_ERROR_PERMISSION_DENIED, nullptr);
	if (!(flags & SD_VARLINK_METHOD_MORE))
		return bridge_reply(c->bridge, link);
	if (bridge_attach(c->bridge, link, userdata) < 0)
		return sd_varlink_error(link, SD_VARLINK_ERROR_PERMISSION_DENIED, nullptr);
	return 0;
}

struct target_parameters {
	const char *target;
	int64_t deadline_ms;
	bool active;
};

int api_diagnose_target(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		{"target", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct target_parameters, target), SD_JSON_MANDATORY},
		{"deadlineMs", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_int64,
			offsetof(struct target_parameters, deadline_ms), SD_JSON_NULLABLE},
		{"active", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool,
			offsetof(struct target_parameters, active), SD_JSON_NULLABLE},
		{},
	};
	struct target_parameters p = {.deadline_ms = BRIDGE_ASK_DEFAULT_US / 1000};
	const struct server_context *c = server_heard(userdata);
	char canonical[AUTHORITY_STRLEN];
	int r = sd_varlink_dispatch(link, parameters, fields, &p);

	if (r != 0)
		return r;
	if (!c->bridge || server_drops(link))
		return sd_varlink_error(link, SD_VARLINK_ERROR_PERMISSION_DENIED, nullptr);
	if (p.deadline_ms < (int64_t)(BRIDGE_ASK_MIN_US / 1000) ||
		p.deadline_ms > (int64_t)(BRIDGE_ASK_MAX_US / 1000))
		return sd_varlink_error_invalid_parameter_name(link, "deadlineMs");
	if (!bridge_ask_is_allowed(c->reload->gateway->config, p.target, canonical))
		return sd_varlink_error(link, API_ERROR_TARGET_NOT_ALLOWED, nullptr);
	return bridge_ask(bridge_asks(c->bridge), link, userdata, canonical, p.active,
		(uint64_t)p.deadline_ms * 1000);
}
