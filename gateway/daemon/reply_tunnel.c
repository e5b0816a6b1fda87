/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/reply_tunnel.h"
#include "daemon/json_make.h"
#include "daemon/reply_edge.h"
#include <string.h>

static sd_json_variant *sockets(const struct tunnel_sockets *all)
{
	sd_json_variant *v = json_array();
	char address[ADDR_STRLEN];

	for (size_t i = 0; i < all->n; i++) {
		const struct tunnel_socket *s = &all->list[i];
		if (sd_json_variant_append_arraybo(&v,
			    SD_JSON_BUILD_PAIR_STRING("address", addr_str(&s->address, address)),
			    SD_JSON_BUILD_PAIR_UNSIGNED("port", s->port),
			    SD_JSON_BUILD_PAIR_CONDITION(s->error != 0, "reason",
				    SD_JSON_BUILD_STRING(strerror(s->error)))) < 0)
			out_of_memory();
	}
	return v;
}

static const char *state_str(const struct tunnel_peer *p)
{
	if (!p->open)
		return "connecting";
	return p->active ? "active" : "standby";
}

sd_json_variant *reply_tunnel_peer(const struct tunnel_peer *p)
{
	sd_json_variant *v = nullptr;

	JSON_OBJECT(v, SD_JSON_BUILD_PAIR_STRING("address", p->address),
		SD_JSON_BUILD_PAIR_STRING("state", state_str(p)), PAIR_TEXT("node", p->node),
		PAIR_TEXT("replica", p->replica), PAIR_TEXT("group", p->group),
		PAIR_TEXT("cipher", p->cipher), SD_JSON_BUILD_PAIR_UNSIGNED("seconds", p->seconds),
		SD_JSON_BUILD_PAIR_UNSIGNED("rttUs", p->rtt_us),
		SD_JSON_BUILD_PAIR_UNSIGNED("lost", p->lost),
		SD_JSON_BUILD_PAIR_UNSIGNED("payload", p->payload),
		SD_JSON_BUILD_PAIR_UNSIGNED("packetsIn", p->in),
		SD_JSON_BUILD_PAIR_UNSIGNED("packetsOut", p->out),
		SD_JSON_BUILD_PAIR_UNSIGNED("dropped", p->dropped),
		SD_JSON_BUILD_PAIR_UNSIGNED("badSource", p->bad_source),
		PAIR_OBJECT("dropsIn", p->drops_in), PAIR_OBJECT("dropsOut", p->drops_out));
	return v;
}

static sd_json_variant *peers(const struct tunnel_report *report)
{
	sd_json_variant *v = json_array();

	for (size_t i = 0; i < report->n_peers; i++) {
		autojson sd_json_variant *peer = reply_tunnel_peer(&report->peers[i]);
		if (sd_json_variant_append_array(&v, peer) < 0)
			out_of_memory();
	}
	return v;
}

static sd_json_variant *dial(const struct tunnel_dial *d)
{
	sd_json_variant *v = nullptr;

	if (d->state[0])
		JSON_OBJECT(v, SD_JSON_BUILD_PAIR_STRING("state", d->state),
			PAIR_TEXT("edge", d->edge), PAIR_TEXT("error", d->error),
			SD_JSON_BUILD_PAIR_UNSIGNED("pauseMs", d->pause_ms));
	return v;
}

sd_json_variant *reply_tunnel_refusals(const struct tunnel_verdict *verdict)
{
	sd_json_variant *v = json_array();
	char text[PREFIX_STRLEN];

	for (size_t i = 0; i < verdict->n_refused && i < TUNNEL_REFUSED_MAX; i++)
		if (sd_json_variant_append_arraybo(&v,
			    SD_JSON_BUILD_PAIR_STRING(
				    "prefix", prefix_str(&verdict->refused[i].prefix, text)),
			    SD_JSON_BUILD_PAIR_STRING("reason", verdict->refused[i].reason)) < 0)
			out_of_memory();
	return v;
}

sd_json_variant *reply_tunnel(const struct tunnel *t)
{
	struct tunnel_view view = tunnel_view(t);
	const struct tunnel_verdict *verdict = view.verdict;
	sd_json_variant *v = nullptr;

	if (!view.config)
		return nullptr;
	enum tunnel_role role = view.config->tunnel.role;
	bool dials = role == TUNNEL_CONNECTOR;
	autojson sd_json_variant *listening = sockets(view.sockets), *ends = peers(view.report),
				 *own = json_prefixes(verdict->addresses, verdict->n_addresses),
				 *routes = json_prefixes(verdict->routes, verdict->n_routes),
				 *refused = reply_tunnel_refusals(verdict),
				 *dialling = dial(&view.report->dial),
				 *edge = dials ? nullptr : reply_edge(view.config, view.report);
	JSON_OBJECT(v, SD_JSON_BUILD_PAIR_STRING("role", tunnel_role_str(role)),
		SD_JSON_BUILD_PAIR_BOOLEAN("attached", view.attached),
		SD_JSON_BUILD_PAIR_UNSIGNED("generation", view.generation),
		SD_JSON_BUILD_PAIR_VARIANT("addresses", own),
		SD_JSON_BUILD_PAIR_CONDITION(dials, "routes", SD_JSON_BUILD_VARIANT(routes)),
		SD_JSON_BUILD_PAIR_CONDITION(dials, "refused", SD_JSON_BUILD_VARIANT(refused)),
		SD_JSON_BUILD_PAIR_VARIANT("sockets", listening), PAIR_OBJECT("dial", dialling),
		SD_JSON_BUILD_PAIR_VARIANT("peers", ends),
		SD_JSON_BUILD_PAIR_CONDITION(view.report->peers_more > 0, "peersMore",
			SD_JSON_BUILD_UNSIGNED(view.report->peers_more)),
		PAIR_OBJECT("edge", edge), PAIR_OBJECT("counters", view.report->counters));
	return v;
}
