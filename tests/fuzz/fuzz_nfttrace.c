/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_nfttrace: bytes as what a trace socket hears, step by step, and the packets that these make
 * up. A step that is accepted has names that end, and ways stay within their bounds.
 */
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "net/nl.h"
#include "nft/way.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char name[static NFT_STEP_NAME_LEN])
{
	assert(memchr(name, '\0', NFT_STEP_NAME_LEN));
}

static void check_step(const struct nft_step *s)
{
	const struct nft_step_packet *p = &s->packet;

	check_name(s->table);
	check_name(s->chain);
	assert(s->type < NFT_STEP_TYPES && s->iif >= 0 && s->oif >= 0);
	assert(p->from.family == p->to.family);
	assert(p->from.family == AF_UNSPEC || addr_bits(p->from.family));
	assert(s->enters || p->from.family == AF_UNSPEC);
}

static void check_ways(const struct nft_ways *w)
{
	assert(w->n <= NFT_WAYS);
	for (size_t i = 0; i < w->n; i++) {
		check_name(w->list[i].last.table);
		check_name(w->list[i].base.chain);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of exactly this size, aligned as a receive buffer is. */
	autofree uint8_t *copy = xcalloc(1, size);
	struct nft_ways ways = {};
	struct nft_step step;

	if (size)
		memcpy(copy, data, size);
	struct nl_datagram d = {.at = copy, .left = size};
	for (const struct nlmsghdr *nlh; (nlh = nl_next(&d));) {
		if (nft_step_read(nlh, &step) < 0)
			continue;
		check_step(&step);
		nft_ways_add(&step, &ways);
	}
	check_ways(&ways);
	nft_ways_clear(&ways);
	return 0;
}
