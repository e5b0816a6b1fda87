/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"
#include "lib/json.h"
#include "lib/xmalloc.h"
#include <stdio.h>
#include <string.h>

void peer_note(
	struct peer *p, struct quic_connection *c, const struct quic_peer *told, uint64_t now_ns)
{
	p->connection = c;
	p->since_ns = now_ns;
	memcpy(p->key, told->key, sizeof(p->key));
	snprintf(p->group, sizeof(p->group), "%s", told->group);
	snprintf(p->cipher, sizeof(p->cipher), "%s", told->cipher);
}

/* What was dropped, by its reason; what was not is not named. */
static int drops_report(const uint64_t of[CONNIP_PASS_MAX], uint64_t *sum, sd_json_variant **out)
{
	int r = sd_json_variant_new_object(out, nullptr, 0);

	for (enum connip_pass i = CONNIP_TAKEN + 1; r >= 0 && i < CONNIP_PASS_MAX; i++) {
		*sum += of[i];
		if (of[i])
			r = sd_json_variant_set_field_unsigned(out, connip_pass_str(i), of[i]);
	}
	return r;
}

static int packets_report(struct lane *l, sd_json_variant **out)
{
	const struct connip_counters *c = connip_session_counters(lane_session(l));
	autojson sd_json_variant *in = nullptr, *to = nullptr;
	uint64_t dropped = 0;
	int r = drops_report(c->in, &dropped, &in);

	if (r >= 0)
		r = drops_report(c->out, &dropped, &to);
	if (r < 0)
		return r;
	return sd_json_buildo(out, SD_JSON_BUILD_PAIR_UNSIGNED("in", c->in[CONNIP_PASS]),
		SD_JSON_BUILD_PAIR_UNSIGNED("out", c->out[CONNIP_PASS]),
		SD_JSON_BUILD_PAIR_UNSIGNED("dropped", dropped),
		SD_JSON_BUILD_PAIR_UNSIGNED("badSource", c->in[CONNIP_BAD_SOURCE]),
		SD_JSON_BUILD_PAIR_VARIANT("dropsIn", in),
		SD_JSON_BUILD_PAIR_VARIANT("dropsOut", to));
}

int peer_report(const struct peer *p, uint64_t now_ns, sd_json_variant **list)
{
	autojson sd_json_variant *packets = nullptr, *entry = nullptr;
	const struct quic_path path = quic_connection_path(p->connection);
	const struct quic_figures f = quic_connection_figures(p->connection);
	char address[QUIC_ADDRESS_LENGTH];
	int r = p->lane ? packets_report(p->lane, &packets) : 0;

	if (r < 0)
		return r;
	r = sd_json_buildo(&entry,
		SD_JSON_BUILD_PAIR_STRING("address", quic_address_str(&path.remote, address)),
		SD_JSON_BUILD_PAIR_CONDITION(
			p->name != nullptr, "node", SD_JSON_BUILD_STRING(p->name)),
		SD_JSON_BUILD_PAIR_CONDITION(
			p->replica != nullptr, "replica", SD_JSON_BUILD_STRING(p->replica)),
		SD_JSON_BUILD_PAIR_BOOLEAN("active", p->active),
		SD_JSON_BUILD_PAIR_BOOLEAN("open", p->lane != nullptr),
		SD_JSON_BUILD_PAIR_STRING("group", p->group),
		SD_JSON_BUILD_PAIR_STRING("cipher", p->cipher),
		SD_JSON_BUILD_PAIR_BASE64("key", p->key, sizeof(p->key)),
		SD_JSON_BUILD_PAIR_UNSIGNED("seconds", (now_ns - p->since_ns) / 1'000'000'000),
		SD_JSON_BUILD_PAIR_UNSIGNED("rttUs", f.rtt_ns / 1000),
		SD_JSON_BUILD_PAIR_UNSIGNED("lost", f.lost),
		SD_JSON_BUILD_PAIR_UNSIGNED("payload", f.payload),
		SD_JSON_BUILD_PAIR_CONDITION(
			packets != nullptr, "packets", SD_JSON_BUILD_VARIANT(packets)));
	return r < 0 ? r : sd_json_variant_append_array(list, entry);
}
