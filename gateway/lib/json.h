/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * json: release by scope for values of sd-json (lib/own.h).
 */
#include <systemd/sd-json.h>

#define autojson [[gnu::cleanup(sd_json_variant_unrefp)]]
