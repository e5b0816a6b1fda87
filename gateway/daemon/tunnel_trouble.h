/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tunnel_trouble: conditions of what meshgw-tunnel says that it suffers from others
 * (tunnel/trouble.h).
 *
 * The words come from the process that strangers talk to: which conditions there are is decided
 * here, texts are escaped and cut, and what has another form is passed over.
 */
#include "daemon/condition.h"
#include <systemd/sd-json.h>

/* troubles: an array of {kind, who, text}, or nullptr. nobody: the subject where there is no who.
 */
void tunnel_trouble_health(sd_json_variant *troubles, const char *nobody, struct conditions *out);
