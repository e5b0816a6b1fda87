/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_doctor: Doctor. Asks the kernel and FRR's last answer; takes as long as a dump of its tables.
 */
#include "daemon/examine.h"
#include "daemon/server.h"
#include "lib/json.h"

int api_doctor(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *userdata)
{
	const struct server_context *c = server_heard(userdata);
	int r = server_no_parameters(link, parameters);
	if (r != 0)
		return r;
	if (server_drops(link))
		return server_deny(link);
	autojson sd_json_variant *reply = examine_reply(c);
	return sd_varlink_reply(link, reply);
}
