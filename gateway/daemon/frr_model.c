/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_model.h"
#include "lib/xmalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct frr_mark mark_of(struct config_mark m)
{
	return (struct frr_mark){.line = m.line, .column = m.column};
}

/* The password that runs. nullptr: the neighbour is not there, or not ours, or has none. */
static const char *running_password(const struct frr_running *running, const struct addr *address)
{
	char text[ADDR_STRLEN], begin[ADDR_STRLEN + 32];
	size_t n = (size_t)snprintf(
		begin, sizeof(begin), "neighbor %s password ", addr_str(address, text));
	for (size_t i = 0; running && i < running->n; i++)
		if (!strncmp(running->list[i].text, begin, n))
			return running->list[i].text + n;
	return nullptr;
}

static void make_statics(const struct config *c, const bool *announce, struct frr_built *out)
{
	out->statics = xcalloc(c->n_ranges, sizeof(*out->statics));
	for (size_t i = 0; i < c->n_ranges; i++)
		out->statics[i] = (struct frr_static){.prefix = c->ranges[i].prefix,
			.announce = !announce || announce[i],
			.mark = mark_of(c->ranges[i].mark)};
	out->model.statics = out->statics;
	out->model.n_statics = c->n_ranges;
}

static struct frr_neighbor make_neighbor(const struct config_neighbor *n)
{
	static const enum frr_remote_as remote[] = {[REMOTE_AS_NUMBER] = FRR_REMOTE_NUMBER,
		[REMOTE_AS_EXTERNAL] = FRR_REMOTE_EXTERNAL,
		[REMOTE_AS_INTERNAL] = FRR_REMOTE_INTERNAL};
	return (struct frr_neighbor){.address = n->address,
		.remote_as = remote[n->remote_as],
		.asn = n->asn,
		.ipv4 = n->ipv4,
		.ipv6 = n->ipv6,
		.description = n->description,
		.bfd = n->bfd,
		.bfd_multiplier = n->bfd_multiplier,
		.bfd_receive_ms = n->bfd_receive_ms,
		.bfd_transmit_ms = n->bfd_transmit_ms,
		.timers_own = n->timers_own,
		.keepalive_s = n->keepalive_s,
		.hold_s = n->hold_s,
		.connect_s = n->connect_s,
		.update_source = n->update_source,
		.ebgp_multihop = n->ebgp_multihop,
		.ttl_security_hops = n->ttl_security_hops,
		.communities = n->communities,
		.n_communities = n->n_communities,
		.maximum_prefix = n->maximum_prefix,
		.adopt = n->adopt,
		.mark = mark_of(n->mark),
		.remote_as_mark = mark_of(n->remote_as_mark),
		.description_mark = mark_of(n->description_mark),
		.password_mark = mark_of(n->password_mark),
		.bfd_mark = mark_of(n->bfd_mark),
		.timers_mark = mark_of(n->hold_mark.line ? n->hold_mark : n->keepalive_mark),
		.update_source_mark = mark_of(n->update_source_mark),
		.hops_mark = mark_of(n->hops_mark),
		.communities_mark = mark_of(n->communities_mark)};
}

static struct frr_accept *add_accepts(
	const struct config_neighbor *n, struct frr_neighbor *to, struct frr_accept *at)
{
	to->accept = at;
	to->n_accept = n->n_accept;
	for (size_t i = 0; i < n->n_accept; i++)
		*at++ = (struct frr_accept){.prefix = n->accept[i].prefix,
			.le = n->accept[i].le,
			.mark = mark_of(n->accept[i].mark)};
	return at;
}

static size_t count_accepts(const struct config_bgp *bgp)
{
	size_t n = 0;
	for (size_t i = 0; i < bgp->n_neighbors; i++)
		n += bgp->neighbors[i].n_accept;
	return n;
}

/* false: it must wait for its password. */
static bool set_password(struct frr_neighbor *n, const struct config_neighbor *from,
	const struct frr_secret *secret, const struct frr_running *running)
{
	if (!from->password_file)
		return true;
	if (secret && !secret->problem[0]) {
		n->password = secret->text;
		return true;
	}
	n->password = running_password(running, &n->address);
	return !running || frr_running_is_ours(running, &n->address);
}

static void make_neighbors(const struct config_bgp *bgp, const struct frr_secrets *secrets,
	const struct frr_running *running, struct frr_built *out)
{
	size_t n = 0;
	out->neighbors = xcalloc(bgp->n_neighbors, sizeof(*out->neighbors));
	out->accepts = xcalloc(count_accepts(bgp), sizeof(*out->accepts));
	struct frr_accept *at = out->accepts;
	for (size_t i = 0; i < bgp->n_neighbors; i++) {
		const struct config_neighbor *from = &bgp->neighbors[i];
		struct frr_neighbor *to = &out->neighbors[n];
		*to = make_neighbor(from);
		at = add_accepts(from, to, at);
		n += set_password(
			to, from, secrets && i < secrets->n ? &secrets->list[i] : nullptr, running);
	}
	out->model.neighbors = out->neighbors;
	out->model.n_neighbors = n;
}

void frr_model_build(const struct config *config, const bool *announce,
	const struct frr_secrets *secrets, const struct frr_running *running, struct frr_built *out)
{
	const struct config_bgp *bgp = &config->bgp;
	*out = (struct frr_built){.model = {.interface = config->mesh_interface,
					  .asn = bgp->asn,
					  .router_id = bgp->router_id,
					  .announce_to_others = bgp->announce_to_others,
					  .mark = mark_of(bgp->mark),
					  .asn_mark = mark_of(bgp->asn_mark)}};
	make_statics(config, announce, out);
	make_neighbors(bgp, secrets, running, out);
}

void frr_built_clear(struct frr_built *built)
{
	free(built->statics);
	free(built->neighbors);
	free(built->accepts);
	*built = (struct frr_built){};
}
