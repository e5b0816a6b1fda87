/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/way.h"
#include "lib/xmalloc.h"
#include "nft/diag_int.h"
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

static bool is_diagnosis(const struct nft_step *s)
{
	return s->family == NFPROTO_INET &&
	       !strncmp(s->table, NFT_DIAG_TABLE, strlen(NFT_DIAG_TABLE));
}

static bool is_chain(const struct nft_step *s, const char *chain)
{
	return !strcmp(s->chain, chain);
}

static bool is_arrival(const struct nft_step *s)
{
	return !strncmp(s->chain, NFT_DIAG_ARRIVE, strlen(NFT_DIAG_ARRIVE));
}

/* The chains of a diagnosis from which packets begin to be traced. */
static bool begins(const struct nft_step *s)
{
	return s->enters && is_diagnosis(s) &&
	       (is_arrival(s) || is_chain(s, "enter") || is_chain(s, "leave"));
}

/* The latest of this id: the kernel makes it of what a repeated packet may have again. */
static struct nft_way *find(struct nft_ways *w, uint32_t id)
{
	for (size_t i = w->n; i-- > 0;)
		if (w->list[i].id == id)
			return &w->list[i];
	return nullptr;
}

static struct nft_way *add(struct nft_ways *w, const struct nft_step *s)
{
	if (w->n == NFT_WAYS) {
		w->lost = true;
		return nullptr;
	}
	XGROW(w->list, w->n, w->cap);
	struct nft_way *way = &w->list[w->n++];
	*way = (struct nft_way){
		.id = s->id,
		.packet = s->packet,
		.local = is_diagnosis(s) && is_chain(s, "leave"),
		.arrived = is_diagnosis(s) && is_arrival(s),
	};
	return way;
}

static enum nft_fate fate_of(const struct nft_step *s)
{
	switch (s->verdict & NF_VERDICT_MASK) {
	case NF_DROP:
		return NFT_FATE_DROPPED;
	case NF_QUEUE:
	case NF_STOLEN:
		return NFT_FATE_QUEUED;
	default:
		return NFT_FATE_ACCEPTED;
	}
}

/* Jumps and returns decide nothing: their codes are negative. */
static bool decides(const struct nft_step *s)
{
	return s->verdict >= 0;
}

static void take(struct nft_way *way, const struct nft_step *s)
{
	enum nft_fate fate = decides(s) ? fate_of(s) : way->fate;

	if (is_diagnosis(s)) {
		if (fate == NFT_FATE_DROPPED)
			way->fate = NFT_FATE_ARRIVED;
		return;
	}
	if (s->enters)
		way->base = *s;
	way->last = *s;
	way->fate = fate;
}

void nft_ways_add(const struct nft_step *step, void *ways)
{
	struct nft_ways *w = ways;

	if (!step) {
		w->lost = true;
		return;
	}
	struct nft_way *way = find(w, step->id);
	/* From the interface on it is the same packet. */
	bool goes_on = way && way->arrived && begins(step) && is_chain(step, "enter");
	if (goes_on)
		way->arrived = false;
	if (!way || (begins(step) && !goes_on))
		way = add(w, step);
	if (way)
		take(way, step);
}

void nft_ways_clear(struct nft_ways *w)
{
	free(w->list);
	*w = (struct nft_ways){};
}
