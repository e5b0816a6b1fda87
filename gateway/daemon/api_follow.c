/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_follow: Follow: flows that fail, as they do.
 */
#include "daemon/flow_watch.h"
#include "daemon/server.h"
#include "lib/api.h"

int api_follow(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
	void *userdata)
{
	struct server_context *c = server_heard(userdata);
	struct err err = {};
	int r = server_no_parameters(link, parameters);
	if (r != 0)
		return r;
	if (!(flags & SD_VARLINK_METHOD_MORE))
		return sd_varlink_error(link, SD_VARLINK_ERROR_EXPECTED_MORE, nullptr);
	if (flow_watch_follow(c->flow_watch, link, userdata, &err) < 0)
		return sd_varlink_errorbo(link, API_ERROR_NOT_WATCHING,
			SD_JSON_BUILD_PAIR_STRING("message", err.msg));
	return 0;
}
