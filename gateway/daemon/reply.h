/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reply: operations and diagnostics in the JSON form of io.meshgw.Gateway, for the server's
 * handlers and for `meshgwd --once`.
 */
#include "conf/config.h"
#include "daemon/condition.h"
#include "daemon/plan.h"
#include "lib/json.h"
#include "proof/prove.h"

/* New references, for the caller to release. */
sd_json_variant *reply_operations(const struct ops *ops);
sd_json_variant *reply_conditions(const struct conditions *all);
/* The parameters of ConfigInvalid. */
sd_json_variant *reply_invalid(const struct config_diags *diags, const char *name);
/* What is known of a network in mode auto; nullptr for nullptr. */
sd_json_variant *reply_proof(const struct prove *p, const struct prove_network *n, uint64_t now_us);
