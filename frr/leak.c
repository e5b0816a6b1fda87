/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/diff_int.h"
#include "frr/policy.h"
#include "frr/text.h"
#include "lib/escape.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

/* One address family of a foreign neighbour or peer-group. Names are the rest of a statement. */
struct outbound {
	bool active, inactive; /* said so; a member says nothing and takes what its group does */
	const char *prefix_list, *route_map;
	const char *other; /* distribute-list, filter-list: taken as letting all pass */
	const char *statement;
};

struct peer {
	const char *name; /* first word */
	const char *group;
	const char *remote_as; /* "65001", "external", "internal" */
	bool is_group, listens;
	struct outbound out[2];
};

struct peers {
	struct peer *list;
	size_t n, cap;
};

static bool same_word(const char *a, const char *b)
{
	size_t n = text_word_len(a);
	return text_word_len(b) == n && strncmp(a, b, n) == 0;
}

static struct peer *find_peer(struct peers *peers, const char *name)
{
	for (size_t i = peers->n; i-- > 0;) /* statements of one peer follow each other */
		if (same_word(peers->list[i].name, name))
			return &peers->list[i];
	return nullptr;
}

static struct peer *get_peer(struct peers *peers, const char *name)
{
	struct peer *peer = find_peer(peers, name);
	if (peer)
		return peer;
	XGROW(peers->list, peers->n, peers->cap);
	peers->list[peers->n] = (struct peer){.name = name};
	return &peers->list[peers->n++];
}

/* ---- Reading ---- */

/* "peer-group" alone makes a group, "peer-group NAME" joins it; an interface's neighbour says it
 * all in one line: "interface v6only remote-as external". */
static void read_session(struct peer *peer, const char *setting)
{
	const char *rest = text_after(setting, "peer-group");
	if (text_after(setting, "interface"))
		setting = text_next(setting);
	if (text_after(setting, "v6only"))
		setting = text_next(setting);
	if (rest && !*rest)
		peer->is_group = true;
	else if (text_after(setting, "peer-group"))
		peer->group = text_next(setting);
	else if (text_after(setting, "remote-as"))
		peer->remote_as = text_next(setting);
}

static bool goes_out(const char *setting)
{
	const char *blank = strrchr(setting, ' ');
	return blank && strcmp(blank, " out") == 0;
}

static void read_family(struct outbound *out, const struct frr_statement *s, const char *setting)
{
	bool no = text_begins(s->text, "no ");
	const char *name;
	if (text_after(setting, "activate")) {
		out->active = !no;
		out->inactive = no;
	}
	if (no || !goes_out(setting))
		return;
	if ((name = text_after(setting, "prefix-list")))
		out->prefix_list = name;
	else if ((name = text_after(setting, "route-map")))
		out->route_map = name;
	else
		out->other = setting;
	out->statement = s->text;
}

static void read_peers(const struct diff *d, struct peers *peers)
{
	for (size_t i = 0; i < d->running->n; i++) {
		const struct frr_statement *s = &d->running->list[i];
		const char *peer, *setting;
		const char *listen = text_after(s->text, "bgp listen range");
		if (!s->block[0] || !diff_in_bgp(d, s) || diff_is_mine(d, s))
			continue;
		if (listen && (listen = text_after(text_next(listen), "peer-group")))
			get_peer(peers, listen)->listens = true;
		if (!frr_statement_neighbor(s->text, &peer, &setting))
			continue;
		if (!s->part[0])
			read_session(get_peer(peers, peer), setting);
		else if (strcmp(s->part, frr_family_part(false)) == 0)
			read_family(&get_peer(peers, peer)->out[0], s, setting);
		else if (strcmp(s->part, frr_family_part(true)) == 0)
			read_family(&get_peer(peers, peer)->out[1], s, setting);
	}
}

/* ---- Judging ---- */

static bool has_policy(const struct outbound *out)
{
	return out->prefix_list || out->route_map || out->other;
}

/* A member's own statements in front of its group's. */
static struct outbound effective(struct peers *peers, const struct peer *peer, size_t family)
{
	struct outbound out = peer->out[family];
	const struct peer *group = peer->group ? find_peer(peers, peer->group) : nullptr;
	if (!group)
		return out;
	const struct outbound *from = &group->out[family];
	if (!out.active && !out.inactive) {
		out.active = from->active;
		out.inactive = from->inactive;
	}
	out.prefix_list = out.prefix_list ? out.prefix_list : from->prefix_list;
	out.route_map = out.route_map ? out.route_map : from->route_map;
	out.other = out.other ? out.other : from->other;
	out.statement = out.statement ? out.statement : from->statement;
	return out;
}

static bool is_external(const struct diff *d, struct peers *peers, const struct peer *peer)
{
	const struct peer *group = peer->group ? find_peer(peers, peer->group) : nullptr;
	const char *as = peer->remote_as ? peer->remote_as : group ? group->remote_as : nullptr;
	const char *rest;
	uint32_t asn;
	if (!as || text_after(as, "internal"))
		return false;
	return !text_take_u32(as, &asn, &rest) || asn != d->running->asn;
}

/* RFC 8212, on unless FRR's defaults are those of a data centre. */
static bool requires_policy(const struct diff *d)
{
	bool required = true;
	for (size_t i = 0; i < d->running->n; i++) {
		const struct frr_statement *s = &d->running->list[i];
		if (!s->block[0] && strcmp(s->text, "frr defaults datacenter") == 0)
			required = false;
		if (!s->block[0] || s->part[0] || !diff_in_bgp(d, s))
			continue;
		if (strcmp(s->text, "bgp ebgp-requires-policy") == 0)
			required = true;
		else if (strcmp(s->text, "no bgp ebgp-requires-policy") == 0)
			required = false;
	}
	return required;
}

struct world {
	struct diff *d;
	struct peers peers;
	struct policy policy;
	bool required; /* no policy, no routes to an external neighbour */
};

static bool passes(
	const struct policy *policy, const struct outbound *out, const struct prefix *prefix)
{
	return (!out->prefix_list || policy_prefix_list_passes(policy, out->prefix_list, prefix)) &&
	       (!out->route_map || policy_route_map_passes(policy, out->route_map, prefix));
}

static const struct frr_static *first_leak(
	const struct world *w, const struct outbound *out, uint8_t family)
{
	const struct frr_model *model = w->d->model;
	for (size_t i = 0; i < model->n_statics; i++) {
		const struct frr_static *s = &model->statics[i];
		if (s->announce && s->prefix.addr.family == family &&
			passes(&w->policy, out, &s->prefix))
			return s;
	}
	return nullptr;
}

static void judge(struct world *w, const struct peer *peer)
{
	struct diff *d = w->d;
	const bool by_default[2] = {d->spelling.default_ipv4, d->spelling.default_ipv6};
	for (size_t i = 0; i < 2; i++) {
		struct outbound out = effective(&w->peers, peer, i);
		if (!out.active && (!by_default[i] || out.inactive))
			continue;
		if (w->required && !has_policy(&out) && is_external(d, &w->peers, peer))
			continue;
		const struct frr_static *s = first_leak(w, &out, i ? AF_INET6 : AF_INET);
		if (!s)
			continue;
		struct frr_finding *f = diff_find(d, FRR_FOUND_LEAK, d->model->mark);
		f->prefix = s->prefix;
		escape_text(peer->name, text_word_len(peer->name), f->peer, sizeof(f->peer));
		if (out.statement)
			escape_text(out.statement, strlen(out.statement), f->text, sizeof(f->text));
		return;
	}
}

void diff_find_leaks(struct diff *d)
{
	struct world w = {.d = d};
	if (!d->model || d->model->announce_to_others || !d->spelling.bgp || diff_has_other_asn(d))
		return;
	read_peers(d, &w.peers);
	policy_read(d->running, &w.policy);
	w.required = requires_policy(d);
	for (size_t i = 0; i < w.peers.n; i++)
		if (!w.peers.list[i].is_group || w.peers.list[i].listens)
			judge(&w, &w.peers.list[i]);
	policy_clear(&w.policy);
	free(w.peers.list);
}
