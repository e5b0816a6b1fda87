/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_bridge: what the HTTP bridge may ask.
 */
#include "daemon/bridge.h"
#include "daemon/server.h"

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
