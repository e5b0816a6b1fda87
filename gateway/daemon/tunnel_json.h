/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tunnel_json: the section `tunnel` as the object that TunnelAttach carries: every default filled
 * in, files as what they hold. Pure. Its reader is gateway/tunnel.
 */
#include "conf/config.h"
#include <systemd/sd-json.h>

/* What the files hold, each nullptr where it could not be used. */
struct tunnel_files {
	const char *certificate, *key, *ca;
};

/* A new reference, marked sensitive. */
sd_json_variant *tunnel_json(const struct config *config, const struct tunnel_files *files);
