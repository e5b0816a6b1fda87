/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_dummy_nft: the dummy kernel's table of ours, and the chains of others that drop the
 * ranges.
 */
#include "daemon/kernel_dummy.h"
#include "daemon/kernel_dummy_int.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include "nft/table.h"
#include <errno.h>
#include <inttypes.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int dummy_nft_read(struct kernel *k, struct nft_state *state, struct err *err)
{
	int r = dummy_may_read(k, "nft", err);
	if (r >= 0)
		*state = dummy_of(k)->nft;
	return r;
}

int dummy_nft_counters(struct kernel *k, struct nft_counters *out, struct err *err)
{
	if (!dummy_of(k)->nft.exists)
		return err_set(err, ENOENT, "no such table");
	*out = dummy_of(k)->nft.counters;
	return 0;
}

/* FNV-1a */
constexpr uint64_t HASH_START = 0xcbf29ce484222325;

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;
	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3;
	return h;
}

/* Of everything that the table would be made of. */
static uint64_t digest_of(const struct nft_model *model)
{
	struct nft_txn t;
	nft_txn_begin(&t, 0);
	nft_table_build(&t, model, 0, nullptr);
	uint64_t h = hash(HASH_START, t.buf, t.len);
	nft_txn_clear(&t);
	return h;
}

static void take_modes(struct kernel_dummy *d, const struct nft_model *m)
{
	nft_modes_clear(&d->modes);
	for (size_t i = 0; i < m->n_masquerade_networks; i++) {
		const struct prefix *p = &m->masquerade_networks[i];
		struct nft_modes *to = &d->modes;
		XGROW(to->networks, to->n_networks, to->cap_networks);
		to->networks[to->n_networks++] = (struct nft_interval){
			.first = p->addr, .last = prefix_last(p)};
	}
	for (size_t i = 0; i < m->n_masquerade_hosts; i++) {
		XGROW(d->modes.hosts, d->modes.n_hosts, d->modes.cap_hosts);
		d->modes.hosts[d->modes.n_hosts++] = m->masquerade_hosts[i];
	}
	d->has_nat = m->nat;
}

int dummy_nft_modes(struct kernel *k, struct nft_modes *out, struct err *err)
{
	const struct kernel_dummy *d = dummy_of(k);
	int r = dummy_may_read(k, "modes", err);
	if (r < 0)
		return r;
	*out = (struct nft_modes){};
	for (size_t i = 0; i < d->modes.n_networks; i++) {
		XGROW(out->networks, out->n_networks, out->cap_networks);
		out->networks[out->n_networks++] = d->modes.networks[i];
	}
	for (size_t i = 0; i < d->modes.n_hosts; i++) {
		XGROW(out->hosts, out->n_hosts, out->cap_hosts);
		out->hosts[out->n_hosts++] = d->modes.hosts[i];
	}
	return d->nft.exists && d->has_nat;
}

int dummy_nft_replace(struct kernel *k, const struct nft_model *model,
	const struct nft_counters *start, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	int e = dummy_may_write(k, "nft_replace", MARK_NFT_TABLE, err);
	if (e < 0)
		return e;
	nft_expect(model, &d->nft);
	d->nft.exists = d->nft.owned = d->nft.persistent = true;
	d->nft.digest = digest_of(model);
	if (start)
		d->nft.counters = *start;
	take_modes(d, model);
	k->nft_owned = true;
	return 0;
}

int dummy_nft_remove(struct kernel *k, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	int e = dummy_may_write(k, "nft_remove", MARK_NFT_TABLE, err);
	if (e < 0)
		return e;
	k->nft_owned = false;
	if (!d->nft.exists)
		return err_set(err, ENOENT, "no such table");
	d->nft = (struct nft_state){};
	return 0;
}

/* The ranges that Tailscale drops, and what our rules about them would be made of. */
static uint64_t dropped_by(const struct kernel_dummy *d, uint8_t family,
	const struct nft_mesh *mesh, struct nft_foreign *out)
{
	struct prefix cgnat;
	uint64_t h = hash(HASH_START, mesh->interface, strlen(mesh->interface));
	if (prefix_parse("100.64.0.0/10", &cgnat) < 0)
		abort();
	*out = (struct nft_foreign){
		.dropped = xcalloc(mesh->n_ranges, sizeof(*out->dropped)), .handle = 1};
	for (size_t i = 0; i < mesh->n_ranges; i++) {
		const struct prefix *range = &mesh->ranges[i];
		if (!d->tailscale.present || family != AF_INET || !prefix_overlaps(&cgnat, range))
			continue;
		out->dropped[out->n_dropped++] = *range;
		h = hash(h, range, sizeof(*range));
	}
	return h;
}

int dummy_foreign_read(struct kernel *k, uint8_t family, const struct nft_mesh *mesh,
	struct nft_foreign *out, struct err *err)
{
	const struct kernel_dummy *d = dummy_of(k);
	int e = dummy_may_read(k, "foreign", err);
	if (e < 0)
		return e;
	nft_foreign_clear(out);
	uint64_t ours = dropped_by(d, family, mesh, out);
	out->n_ours = family == AF_INET ? d->tailscale.n_ours : 0;
	out->passed = out->n_ours == out->n_dropped && (!out->n_ours || d->tailscale.ours == ours);
	return 0;
}

int dummy_foreign_write(
	struct kernel *k, uint8_t family, const struct nft_mesh *mesh, bool pass, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	int e = dummy_may_write(k, "foreign_write", family == AF_INET ? "ip" : "ip6", err);
	if (e < 0 || family != AF_INET)
		return e;
	struct nft_foreign in = {};
	d->tailscale.ours = dropped_by(d, family, mesh, &in);
	d->tailscale.n_ours = pass ? in.n_dropped : 0;
	nft_foreign_clear(&in);
	return 0;
}

int dummy_nft_set_modes(struct kernel *k, const struct nft_model *model, struct err *err)
{
	struct kernel_dummy *d = dummy_of(k);
	struct nft_counters counters = d->nft.counters;
	int e = dummy_may_write(k, "nft_set_modes", MARK_NFT_TABLE, err);
	if (e < 0)
		return e;
	if (!d->nft.exists)
		return err_set(err, ENOENT, "no such table");
	nft_expect(model, &d->nft);
	d->nft.owned = d->nft.persistent = true;
	d->nft.digest = digest_of(model);
	d->nft.counters = counters;
	take_modes(d, model);
	return 0;
}
