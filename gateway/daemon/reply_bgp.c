/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/reply_bgp.h"
#include "daemon/frr_conditions.h"
#include "daemon/json_make.h"
#include "daemon/reply.h"
#include <stdio.h>
#include <stdlib.h>

static bool has_other_asn(const struct frr_diff *diff)
{
	for (size_t i = 0; i < diff->n_findings; i++)
		if (diff->findings[i].code == FRR_FOUND_OTHER_ASN)
			return true;
	return false;
}

static const char *state_of(const struct frr_sync *s)
{
	if (s->contested)
		return "contested";
	if (s->state == FRR_ABSENT || (s->view.answered && frr_view_missing(&s->view)))
		return "waiting";
	if (has_other_asn(&s->diff))
		return "failed";
	if (s->in_place)
		return "yes";
	return s->settled ? "failed" : "working";
}

/* ---- neighbours ---- */

static const char *remote_as(const struct config_neighbor *n, char buf[static 16])
{
	if (n->remote_as == REMOTE_AS_EXTERNAL)
		return "external";
	if (n->remote_as == REMOTE_AS_INTERNAL)
		return "internal";
	snprintf(buf, 16, "%u", n->asn);
	return buf;
}

static void append_neighbor(
	sd_json_variant **v, const struct config_neighbor *to, const struct frr_session *n)
{
	char address[ADDR_STRLEN], as[16];
	enum condition_code code;
	bool known = n && n->state != FRR_SESSION_UNKNOWN;
	bool up = known && n->state == FRR_SESSION_ESTABLISHED;
	const char *reason = known ? frr_session_reason(n, &code) : nullptr;
	const char *state = known ? frr_session_state_str(n->state) : "unknown";
	uint32_t sent = up ? n->family[0].advertised + n->family[1].advertised : 0;
	uint32_t accepted = up ? n->family[0].accepted + n->family[1].accepted : 0;
	if (sd_json_variant_append_arraybo(v,
		    SD_JSON_BUILD_PAIR_STRING("address", addr_str(&to->address, address)),
		    SD_JSON_BUILD_PAIR_STRING("remoteAs", remote_as(to, as)),
		    SD_JSON_BUILD_PAIR_STRING("state", state),
		    SD_JSON_BUILD_PAIR_CONDITION(up, "uptimeSeconds",
			    SD_JSON_BUILD_UNSIGNED(up ? n->uptime_ms / 1000 : 0)),
		    SD_JSON_BUILD_PAIR_UNSIGNED("announced", sent),
		    SD_JSON_BUILD_PAIR_UNSIGNED("accepted", accepted),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    reason != nullptr, "reason", SD_JSON_BUILD_STRING(reason))) < 0)
		abort();
}

static sd_json_variant *neighbors(const struct frr_sync *s)
{
	const struct config_bgp *bgp = &s->config->bgp;
	sd_json_variant *v = json_array();
	for (size_t i = 0; i < bgp->n_neighbors; i++)
		append_neighbor(&v, &bgp->neighbors[i],
			frr_session_of(&s->view.show, &bgp->neighbors[i].address));
	return v;
}

/* ---- announcements ---- */

static const struct frr_prefix_state *state_of_prefix(
	const struct frr_show *show, const struct prefix *p)
{
	for (size_t i = 0; i < show->n_prefixes; i++)
		if (!prefix_cmp(&show->prefixes[i].prefix, p))
			return &show->prefixes[i];
	return nullptr;
}

static const char *static_of(const struct frr_prefix_state *p)
{
	if (p && p->static_ours)
		return "ours";
	return p && p->static_foreign ? "foreign" : "missing";
}

static const char *why_not(
	const struct frr_sync *s, size_t i, const struct frr_prefix_state *p, bool is_announced)
{
	if (i < s->routes.n && !s->routes.usable[i])
		return "the kernel has no usable route for it";
	if (is_announced || !p)
		return nullptr;
	return p->in_rib ? "it is not in FRRouting's BGP table" : "FRRouting has no route for it";
}

static sd_json_variant *announcements(const struct frr_sync *s)
{
	const struct config *c = s->config;
	sd_json_variant *v = json_array();
	for (size_t i = 0; i < c->n_ranges; i++) {
		const struct frr_prefix_state *p = state_of_prefix(
			&s->view.show, &c->ranges[i].prefix);
		bool is_announced = p && p->in_bgp;
		const char *reason = why_not(s, i, p, is_announced);
		char text[PREFIX_STRLEN];
		prefix_str(&c->ranges[i].prefix, text);
		if (sd_json_variant_append_arraybo(&v, SD_JSON_BUILD_PAIR_STRING("prefix", text),
			    SD_JSON_BUILD_PAIR_STRING("static", static_of(p)),
			    SD_JSON_BUILD_PAIR_BOOLEAN("announced", is_announced),
			    SD_JSON_BUILD_PAIR_CONDITION(
				    reason != nullptr, "reason", SD_JSON_BUILD_STRING(reason))) < 0)
			abort();
	}
	return v;
}

sd_json_variant *reply_bgp(const struct frr_sync *s)
{
	sd_json_variant *v = nullptr;
	if (!s->config)
		return nullptr;
	autojson sd_json_variant *n = neighbors(s), *a = announcements(s);
	if (sd_json_buildo(&v, SD_JSON_BUILD_PAIR_UNSIGNED("asn", s->config->bgp.asn),
		    SD_JSON_BUILD_PAIR_STRING("state", state_of(s)),
		    SD_JSON_BUILD_PAIR_VARIANT("neighbors", n),
		    SD_JSON_BUILD_PAIR_VARIANT("announcements", a)) < 0)
		abort();
	return v;
}
