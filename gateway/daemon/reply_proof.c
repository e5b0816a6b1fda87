/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply_proof: what the witnesses of a network said, in JSON.
 */
#include "daemon/reply.h"
#include <stdlib.h>

static uint64_t seconds(uint64_t now_us, uint64_t then_us)
{
	return now_us > then_us ? (now_us - then_us) / 1'000'000 : 0;
}

static void append_witness(sd_json_variant **list, const struct prove_network *n,
	const struct witness *w, uint64_t now_us)
{
	char address[ADDR_STRLEN];
	int r = sd_json_variant_append_arraybo(list,
		SD_JSON_BUILD_PAIR_STRING("address", addr_str(&w->address, address)),
		SD_JSON_BUILD_PAIR_UNSIGNED("port", w->port),
		SD_JSON_BUILD_PAIR_STRING("origin", witness_origin_str(w->origin)),
		SD_JSON_BUILD_PAIR_STRING("own", probe_result_str(w->last.own)),
		SD_JSON_BUILD_PAIR_STRING("range", probe_result_str(w->last.range)),
		SD_JSON_BUILD_PAIR_CONDITION(w->asked_us != 0, "askedSecondsAgo",
			SD_JSON_BUILD_UNSIGNED(seconds(now_us, w->asked_us))),
		SD_JSON_BUILD_PAIR_CONDITION(w->answered_us != 0, "answeredSecondsAgo",
			SD_JSON_BUILD_UNSIGNED(seconds(now_us, w->answered_us))),
		SD_JSON_BUILD_PAIR_BOOLEAN("router", w->router),
		SD_JSON_BUILD_PAIR_BOOLEAN(
			"masqueraded", witness_host_excepted(&n->witnesses, &w->address)));
	if (r < 0)
		abort();
}

sd_json_variant *reply_proof(const struct prove *p, const struct prove_network *n, uint64_t now_us)
{
	char why[PROVE_WHY_LEN];
	autojson sd_json_variant *witnesses = nullptr;
	sd_json_variant *out = nullptr;
	if (!n)
		return nullptr;
	if (sd_json_variant_new_array(&witnesses, nullptr, 0) < 0)
		abort();
	for (size_t i = 0; i < n->witnesses.n; i++)
		append_witness(&witnesses, n, &n->witnesses.list[i], now_us);
	int r = sd_json_buildo(&out, SD_JSON_BUILD_PAIR_STRING("state", prove_network_state(n)),
		SD_JSON_BUILD_PAIR_STRING("why", prove_why(p, n, why)),
		SD_JSON_BUILD_PAIR_CONDITION(n->since_us != 0, "sinceSeconds",
			SD_JSON_BUILD_UNSIGNED(seconds(now_us, n->since_us))),
		SD_JSON_BUILD_PAIR_UNSIGNED("rounds", n->rounds),
		SD_JSON_BUILD_PAIR_STRING("lastRound", prove_verdict_str(n->verdict)),
		SD_JSON_BUILD_PAIR_UNSIGNED("inARow", n->row),
		SD_JSON_BUILD_PAIR_VARIANT("witnesses", witnesses));
	if (r < 0)
		abort();
	return out;
}
