/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/want.h"
#include "frr/community.h"
#include "frr/text.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	uint8_t family;
	const char *ip, *part;
} FAMILIES[] = {
	{AF_INET, "ip", "address-family ipv4 unicast"},
	{AF_INET6, "ipv6", "address-family ipv6 unicast"},
};

/* Where statements are added, and what they are about. */
struct writer {
	const struct frr_model *model;
	const struct frr_spelling *spelling;
	struct frr_wants *out;
	const char *block, *part;
	struct frr_mark mark;
};

bool frr_is_block(const char *text)
{
	return text_begins(text, "route-map ") || text_begins(text, "router bgp ") ||
	       text_begins(text, "profile ") || strcmp(text, "bfd") == 0;
}

bool frr_is_family(const char *part)
{
	return text_begins(part, "address-family ");
}

const char *frr_family_part(bool v6)
{
	return FAMILIES[v6].part;
}

const char *frr_name_str(const char *kind, const struct addr *neighbor, char buf[FRR_NAME_LEN])
{
	char text[ADDR_STRLEN];
	(void)snprintf(buf, FRR_NAME_LEN, MARK_FRR_NAME "-%s-%s", kind, addr_str(neighbor, text));
	return buf;
}

/* What is returned is valid until the next call. */
[[gnu::format(printf, 2, 3)]] static struct frr_want *add(
	const struct writer *w, const char *fmt, ...)
{
	size_t len;
	va_list ap;
	va_start(ap, fmt);
	char *text = xvasprintf(fmt, ap, &len);
	va_end(ap);
	XGROW(w->out->list, w->out->n, w->out->cap);
	w->out->list[w->out->n] = (struct frr_want){
		.block = xstrdup(w->block),
		.part = xstrdup(w->part),
		.text = text,
		.shown = len,
		.mark = w->mark,
	};
	return &w->out->list[w->out->n++];
}

void frr_wants_clear(struct frr_wants *wants)
{
	for (size_t i = 0; i < wants->n; i++) {
		struct frr_want *want = &wants->list[i];
		explicit_bzero(want->text, strlen(want->text));
		free(want->block);
		free(want->part);
		free(want->text);
	}
	free(wants->list);
	*wants = (struct frr_wants){};
}

/* ---- Policy ---- */

static struct frr_mark mark_or(struct frr_mark own, const struct frr_neighbor *neighbor)
{
	return own.line ? own : neighbor->mark;
}

static bool announces(const struct frr_model *model, uint8_t family)
{
	for (size_t i = 0; i < model->n_statics; i++)
		if (model->statics[i].announce && model->statics[i].prefix.addr.family == family)
			return true;
	return false;
}

static bool accepts(const struct frr_neighbor *neighbor, uint8_t family)
{
	for (size_t i = 0; i < neighbor->n_accept; i++)
		if (neighbor->accept[i].prefix.addr.family == family)
			return true;
	return false;
}

/* FRR sorts communities by value and shows the well-known ones by name (bgpd/bgp_community.c). */
static void add_communities(struct writer *w, const struct frr_neighbor *neighbor)
{
	w->mark = mark_or(neighbor->communities_mark, neighbor);
	char *line = frr_communities_line(neighbor->communities, neighbor->n_communities, false);
	char *large = frr_communities_line(neighbor->communities, neighbor->n_communities, true);
	if (line)
		add(w, "set community %s", line);
	if (large)
		add(w, "set large-community %s", large);
	free(line);
	free(large);
	w->mark = neighbor->mark;
}

static void add_entry(
	struct writer *w, const char *list, unsigned seq, const struct prefix *prefix, uint8_t le)
{
	char text[PREFIX_STRLEN];
	const char *ip = FAMILIES[prefix->addr.family == AF_INET6].ip;
	prefix_str(prefix, text);
	if (le > prefix->len)
		add(w, "%s prefix-list %s seq %u permit %s le %u", ip, list, seq, text, le);
	else
		add(w, "%s prefix-list %s seq %u permit %s", ip, list, seq, text);
}

/* Exactly what is announced now: so a static of ours that others redistribute does not pass either
 * while its range is withdrawn. */
static void add_ranges(struct writer *w)
{
	unsigned seq[2] = {};
	for (size_t i = 0; i < w->model->n_statics; i++) {
		const struct frr_static *s = &w->model->statics[i];
		bool v6 = s->prefix.addr.family == AF_INET6;
		if (!s->announce)
			continue;
		w->mark = s->mark;
		add_entry(w, FRR_NAME_RANGES, seq[v6] += 5, &s->prefix, 0);
	}
}

static void add_accepted(struct writer *w, const struct frr_neighbor *neighbor)
{
	char name[FRR_NAME_LEN];
	unsigned seq[2] = {};
	frr_name_str("IN", &neighbor->address, name);
	for (size_t i = 0; i < neighbor->n_accept; i++) {
		const struct frr_accept *a = &neighbor->accept[i];
		w->mark = a->mark;
		add_entry(w, name, seq[a->prefix.addr.family == AF_INET6] += 5, &a->prefix, a->le);
	}
}

/* The head of a route-map's entry, and the block that the next statements stand in. */
static void open_entry(struct writer *w, char head[static 2 * FRR_NAME_LEN], const char *name,
	const char *action, unsigned seq)
{
	(void)snprintf(head, 2 * FRR_NAME_LEN, "route-map %s %s %u", name, action, seq);
	w->block = "";
	add(w, "%s", head);
	w->block = head;
}

static void add_route_map(struct writer *w, const char *name, const char *list,
	const bool families[static 2], const struct frr_neighbor *communities)
{
	char head[2 * FRR_NAME_LEN];
	for (unsigned i = 0; i < 2; i++) {
		if (!families[i])
			continue;
		open_entry(w, head, name, "permit", 10 * (i + 1));
		add(w, "match %s address prefix-list %s", FAMILIES[i].ip, list);
		if (communities)
			add_communities(w, communities);
	}
	if (!families[0] && !families[1])
		open_entry(w, head, name, "deny", 30);
	w->block = "";
}

static void add_policy(struct writer *w, const struct frr_neighbor *neighbor)
{
	char in[FRR_NAME_LEN], out[FRR_NAME_LEN];
	frr_name_str("IN", &neighbor->address, in);
	frr_name_str("OUT", &neighbor->address, out);
	add_accepted(w, neighbor);
	w->mark = neighbor->mark;
	add_route_map(w, out, FRR_NAME_RANGES,
		(bool[]){announces(w->model, AF_INET), announces(w->model, AF_INET6)}, neighbor);
	add_route_map(w, in, in, (bool[]){accepts(neighbor, AF_INET), accepts(neighbor, AF_INET6)},
		nullptr);
}

/* ---- The sessions ---- */

/* FRR's defaults: not shown. */
constexpr uint32_t BFD_MULTIPLIER = 3;
constexpr uint32_t BFD_INTERVAL_MS = 300;

static void add_bfd_profile(struct writer *w, const struct frr_neighbor *neighbor)
{
	char name[FRR_NAME_LEN], part[FRR_NAME_LEN + 16];
	uint32_t multiplier = neighbor->bfd_multiplier, receive = neighbor->bfd_receive_ms,
		 transmit = neighbor->bfd_transmit_ms;
	if (!neighbor->bfd)
		return;
	w->mark = mark_or(neighbor->bfd_mark, neighbor);
	w->block = "bfd";
	(void)snprintf(
		part, sizeof(part), "profile %s", frr_name_str("BFD", &neighbor->address, name));
	add(w, "%s", part);
	w->part = part;
	if (multiplier && multiplier != BFD_MULTIPLIER)
		add(w, "detect-multiplier %" PRIu32, multiplier);
	if (transmit && transmit != BFD_INTERVAL_MS)
		add(w, "transmit-interval %" PRIu32, transmit);
	if (receive && receive != BFD_INTERVAL_MS)
		add(w, "receive-interval %" PRIu32, receive);
	w->block = w->part = "";
}

static void add_remote_as(struct writer *w, const char *peer, const struct frr_neighbor *n)
{
	w->mark = mark_or(n->remote_as_mark, n);
	if (n->remote_as == FRR_REMOTE_NUMBER)
		add(w, "neighbor %s remote-as %" PRIu32, peer, n->asn);
	else
		add(w, "neighbor %s remote-as %s", peer,
			n->remote_as == FRR_REMOTE_EXTERNAL ? "external" : "internal");
}

/* As FRR can take it and shows it again; a caller that wants to complain asks frr_line_ok(). */
static char *tidy(const char *text)
{
	char *out = xcalloc(strlen(text) + 1, 1), *end = out;
	for (; *text; text++) {
		bool printable = *text > ' ' && *text <= '~' && *text != '|';
		bool blank = *text <= ' ' && end > out && end[-1] != ' ';
		if (printable)
			*end++ = *text;
		else if (blank)
			*end++ = ' ';
	}
	while (end > out && end[-1] == ' ')
		end--;
	*end = '\0';
	return out;
}

static void add_description(struct writer *w, const char *peer, const struct frr_neighbor *n)
{
	w->mark = mark_or(n->description_mark, n);
	char *text = tidy(n->description ? n->description : "");
	add(w, "neighbor %s description " MARK_FRR_DESCRIPTION "%s%s", peer, *text ? ": " : "",
		text);
	free(text);
}

static void add_bfd(struct writer *w, const char *peer, const struct frr_neighbor *n)
{
	char name[FRR_NAME_LEN];
	if (!n->bfd)
		return;
	w->mark = mark_or(n->bfd_mark, n);
	add(w, "neighbor %s bfd", peer);
	add(w, "neighbor %s bfd profile %s", peer, frr_name_str("BFD", &n->address, name));
}

static void add_password(struct writer *w, const char *peer, const struct frr_neighbor *n)
{
	if (!n->password)
		return;
	w->mark = mark_or(n->password_mark, n);
	struct frr_want *want = add(w, "neighbor %s password %s", peer, n->password);
	want->shown -= strlen(n->password) + 1;
}

static bool is_internal(const struct frr_model *model, const struct frr_neighbor *n)
{
	return n->remote_as == FRR_REMOTE_INTERNAL ||
	       (n->remote_as == FRR_REMOTE_NUMBER && n->asn == model->asn);
}

static void add_hops(struct writer *w, const char *peer, const struct frr_neighbor *n)
{
	w->mark = mark_or(n->hops_mark, n);
	if (n->ebgp_multihop && is_internal(w->model, n))
		return;              /* FRR takes it and forgets it */
	if (n->ebgp_multihop == 255) /* FRR's default when no number is given */
		add(w, "neighbor %s ebgp-multihop", peer);
	else if (n->ebgp_multihop)
		add(w, "neighbor %s ebgp-multihop %u", peer, n->ebgp_multihop);
	else if (n->ttl_security_hops)
		add(w, "neighbor %s ttl-security hops %u", peer, n->ttl_security_hops);
}

static void add_timers(struct writer *w, const char *peer, const struct frr_neighbor *n)
{
	/* bgpd/bgpd.c, peer_timers_set: no more than a third. */
	uint32_t keepalive = n->keepalive_s < n->hold_s / 3 ? n->keepalive_s : n->hold_s / 3;
	w->mark = mark_or(n->timers_mark, n);
	if (n->timers_own)
		add(w, "neighbor %s timers %" PRIu32 " %" PRIu32, peer, keepalive, n->hold_s);
	if (n->connect_s)
		add(w, "neighbor %s timers connect %" PRIu32, peer, n->connect_s);
}

static void add_session(struct writer *w, const struct frr_neighbor *n)
{
	char peer[ADDR_STRLEN];
	addr_str(&n->address, peer);
	add_remote_as(w, peer, n);
	add_description(w, peer, n);
	add_bfd(w, peer, n);
	add_password(w, peer, n);
	add_hops(w, peer, n);
	if (n->update_source) {
		w->mark = mark_or(n->update_source_mark, n);
		add(w, "neighbor %s update-source %s", peer, n->update_source);
	}
	add_timers(w, peer, n);
	w->mark = n->mark;
	add(w, "neighbor %s graceful-restart-helper", peer);
}

static void add_exchange(struct writer *w, const struct frr_neighbor *n, bool v6)
{
	char peer[ADDR_STRLEN], name[FRR_NAME_LEN];
	bool wanted = v6 ? n->ipv6 : n->ipv4;
	bool by_default = v6 ? w->spelling->default_ipv6 : w->spelling->default_ipv4;
	addr_str(&n->address, peer);
	w->mark = n->mark;
	if (!wanted && by_default)
		add(w, "no neighbor %s activate", peer);
	if (!wanted)
		return;
	if (n->maximum_prefix)
		add(w, "neighbor %s maximum-prefix %" PRIu32, peer, n->maximum_prefix);
	add(w, "neighbor %s route-map %s in", peer, frr_name_str("IN", &n->address, name));
	add(w, "neighbor %s route-map %s out", peer, frr_name_str("OUT", &n->address, name));
	if (!by_default) /* last: never without its policy */
		add(w, "neighbor %s activate", peer);
}

/* A family without a policy of ours is none of ours. */
static void add_refusals(struct writer *w, const struct frr_neighbor *n)
{
	char peer[ADDR_STRLEN], part[64];
	addr_str(&n->address, peer);
	w->mark = n->mark;
	for (size_t i = 0; i < w->spelling->n_defaults; i++) {
		const char *family = w->spelling->defaults[i], *safi = strchr(family, '-') + 1;
		(void)snprintf(part, sizeof(part), "address-family %.*s %.40s",
			(int)(safi - family - 1), family, safi);
		w->part = part;
		add(w, "no neighbor %s activate", peer);
	}
	w->part = "";
}

/* ---- The whole ---- */

static bool skipped(const bool *skip, size_t i)
{
	return skip && skip[i];
}

static void add_statics(struct writer *w)
{
	char text[PREFIX_STRLEN];
	for (size_t i = 0; i < w->model->n_statics; i++) {
		const struct frr_static *s = &w->model->statics[i];
		w->mark = s->mark;
		add(w, "%s route %s %s tag %" PRIu32,
			FAMILIES[s->prefix.addr.family == AF_INET6].ip,
			prefix_str(&s->prefix, text), w->model->interface, MARK_FRR_TAG);
	}
}

static void add_networks(struct writer *w, uint8_t family)
{
	char text[PREFIX_STRLEN];
	for (size_t i = 0; i < w->model->n_statics; i++) {
		const struct frr_static *s = &w->model->statics[i];
		if (!s->announce || s->prefix.addr.family != family)
			continue;
		w->mark = s->mark;
		add(w, "network %s route-map " FRR_NAME_NETWORK, prefix_str(&s->prefix, text));
	}
}

static void add_globals(struct writer *w)
{
	char text[ADDR_STRLEN];
	if (!w->spelling->bgp_ours)
		return;
	w->mark = w->model->router_id_mark;
	if (w->model->router_id.family != AF_UNSPEC)
		add(w, "bgp router-id %s", addr_str(&w->model->router_id, text));
	w->mark = w->model->asn_mark;
	add(w, "no bgp default ipv4-unicast");
}

static void add_bgp(struct writer *w, const bool *skip)
{
	char head[32];
	const char *block = w->spelling->bgp ? w->spelling->bgp : head;
	(void)snprintf(head, sizeof(head), "router bgp %" PRIu32, w->model->asn);
	w->mark = w->model->asn_mark;
	add(w, "%s", block);
	w->block = block;
	add_globals(w);
	for (size_t i = 0; i < w->model->n_neighbors; i++)
		if (!skipped(skip, i))
			add_session(w, &w->model->neighbors[i]);
	for (size_t i = 0; i < w->model->n_neighbors; i++)
		if (!skipped(skip, i))
			add_refusals(w, &w->model->neighbors[i]);
	for (unsigned v6 = 0; v6 < 2; v6++) {
		w->part = FAMILIES[v6].part;
		add_networks(w, FAMILIES[v6].family);
		for (size_t i = 0; i < w->model->n_neighbors; i++)
			if (!skipped(skip, i))
				add_exchange(w, &w->model->neighbors[i], v6);
		w->part = "";
	}
	w->block = "";
}

static void add_all_policy(struct writer *w, const bool *skip)
{
	char head[2 * FRR_NAME_LEN];
	add_ranges(w);
	w->mark = w->model->mark;
	open_entry(w, head, FRR_NAME_NETWORK, "permit", 10);
	w->block = "";
	for (size_t i = 0; i < w->model->n_neighbors; i++)
		if (!skipped(skip, i))
			add_policy(w, &w->model->neighbors[i]);
}

void frr_want_all(const struct frr_model *model, const struct frr_spelling *spelling,
	const bool *skip, struct frr_wants *out)
{
	struct writer w = {
		.model = model, .spelling = spelling, .out = out, .block = "", .part = ""};
	bool bfd = false;
	add_all_policy(&w, skip);
	add_statics(&w);
	for (size_t i = 0; i < model->n_neighbors; i++)
		bfd |= !skipped(skip, i) && model->neighbors[i].bfd;
	if (bfd)
		add(&w, "bfd");
	for (size_t i = 0; i < model->n_neighbors; i++)
		if (!skipped(skip, i))
			add_bfd_profile(&w, &model->neighbors[i]);
	add_bgp(&w, skip);
}
