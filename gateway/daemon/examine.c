/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/examine.h"
#include "daemon/clock.h"
#include "daemon/diagnose_config.h"
#include "daemon/testify.h"
#include "diagnose/collect_filter.h"
#include "diagnose/collect_node.h"
#include "lib/json.h"
#include "lib/xmalloc.h"
#include "net/nl.h"
#include "verdict/doctor.h"
#include <stdio.h>

static void look_at_kernel(const struct config *config, struct evidence *e)
{
	struct nl_sock *s = nullptr;
	struct err err = {};

	if (nl_open(NETLINK_ROUTE, &s, &err) < 0) {
		collect_missing(e, OBSERVER_ROUTES, &err);
		return;
	}
	collect_node(s, config, e);
	nl_close(s);
}

static void look_at_filters(const struct config *config, struct evidence *e)
{
	struct collect_scope scope = {.config = config};
	struct nft_ruleset rules = {};
	struct nl_sock *s = nullptr;
	struct err err = {};

	if (nl_open(NETLINK_NETFILTER, &s, &err) < 0)
		collect_missing(e, OBSERVER_RULESET, &err);
	else
		collect_chains(&scope, s, &rules, e);
	nft_ruleset_clear(&rules);
	nl_close(s);
}

void examine_node(const struct server_context *c, struct evidence *e)
{
	uint64_t begun_us = clock_monotonic_us();
	struct config *config = nullptr;
	struct err err = {};

	/* There is no flow; a record has one anyway. */
	*e = (struct evidence){
		.at_us = clock_realtime_us(), .flow.proto = IPPROTO_TCP, .passive = true};
	if (diagnose_config(c->reload, &e->flow, &config, &err) < 0) {
		collect_missing(e, OBSERVER_ROUTES, &err);
	} else {
		snprintf(e->mesh, sizeof(e->mesh), "%s", config->mesh_interface);
		look_at_kernel(config, e);
		look_at_filters(config, e);
	}
	testify_config(c->reload->gateway, config ? config : c->reload->gateway->config, e);
	testify_conditions(c->conditions, e);
	if (c->frr)
		testify_bgp(c->frr, e);
	config_free(config);
	e->took_us = clock_monotonic_us() - begun_us;
}

/* ---- the answer ---- */

static void add_check(const struct doctor_check *check, sd_json_variant **list)
{
	bool coded = check->code < CODES;

	if (sd_json_variant_append_arraybo(list, SD_JSON_BUILD_PAIR_STRING("name", check->name),
		    SD_JSON_BUILD_PAIR_STRING("title", check->title),
		    SD_JSON_BUILD_PAIR_STRING("result", doctor_outcome_str(check->outcome)),
		    SD_JSON_BUILD_PAIR_STRING("reason", check->reason),
		    SD_JSON_BUILD_PAIR_CONDITION(coded, "code",
			    SD_JSON_BUILD_STRING(coded ? code_str(check->code) : "")),
		    SD_JSON_BUILD_PAIR_CONDITION(check->remedy[0] != '\0', "remedy",
			    SD_JSON_BUILD_STRING(check->remedy))) < 0)
		out_of_memory();
}

sd_json_variant *examine_reply(const struct server_context *c)
{
	autojson sd_json_variant *list = nullptr, *record = nullptr;
	sd_json_variant *v = nullptr;
	struct doctor_result result;
	struct evidence e;

	examine_node(c, &e);
	doctor_check(&e, &result);
	for (size_t i = 0; i < result.n; i++)
		add_check(&result.checks[i], &list);
	if (evidence_to_json(&e, &record) < 0 ||
		sd_json_buildo(&v, SD_JSON_BUILD_PAIR_VARIANT("checks", list),
			SD_JSON_BUILD_PAIR_VARIANT("record", record)) < 0)
		out_of_memory();
	evidence_clear(&e);
	return v;
}
