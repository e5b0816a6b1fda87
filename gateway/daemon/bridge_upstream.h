/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * bridge_upstream: an upstream that failed, as the bridge names it, and how it is to be asked.
 *
 * The bridge gives nothing but the name; what is sent to whom stands in the configuration. A
 * service may only be accused of what the bridge would meet as well: where it is spoken to in a way
 * that meshgw-probe cannot (with a client's certificate, behind the PROXY protocol, in several ways
 * by several routes), it is asked for a connection and no more.
 */
#include "conf/authority.h"
#include "conf/config.h"
#include "daemon/bridge_secret.h"
#include "diagnose/probe_link.h"

constexpr size_t BRIDGE_UPSTREAM_STRLEN = sizeof("https://") + AUTHORITY_STRLEN;

struct bridge_upstream_ask {
	char name[BRIDGE_UPSTREAM_STRLEN];      /* "https://app.internal:443" */
	char target[AUTHORITY_STRLEN];          /* "app.internal:443" */
	char url[BRIDGE_UPSTREAM_STRLEN + 200]; /* of a question: with the path of health checks */
	struct probe_tls tls;                   /* of the configuration and its files: borrowed */
};

/* False: it is none of the configuration. */
[[nodiscard]] bool bridge_upstream_find(const struct config *config,
	const struct bridge_secrets *secrets, const char *name, struct bridge_upstream_ask *out);
