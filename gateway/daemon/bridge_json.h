/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * bridge_json: the section `bridge` as the object that BridgeAttach carries: every default filled
 * in, classes of ranges as prefixes, files as what they hold, names as addresses. Pure.
 *
 * A route that names a file which cannot be used serves nobody (its sources are none): without its
 * token it would be open to all, without its CA it would trust too many.
 */
#include "conf/config.h"
#include "daemon/bridge_secret.h"
#include <systemd/sd-json.h>

/* Whoever knows the addresses of names. */
struct bridge_resolver {
	const struct addr *(*addresses)(const void *arg, const char *name, size_t *n);
	const void *arg;
};

/* node names this gateway. A new reference, marked sensitive. */
sd_json_variant *bridge_json(const struct config *config, const struct bridge_secrets *secrets,
	const struct bridge_resolver *names, const char *node);
