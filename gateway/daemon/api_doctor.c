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
	static const sd_json_dispatch_field none[] = {{}};
	const struct server_context *c = server_heard(userdata);
	int r = sd_varlink_dispatch(link, parameters, none, nullptr);
	if (r != 0)
		return r;
	if (server_drops(link))
		return sd_varlink_error(link, SD_VARLINK_ERROR_PERMISSION_DENIED, nullptr);
	autojson sd_json_variant *reply = examine_reply(c);
	return sd_varlink_reply(link, reply);
}
