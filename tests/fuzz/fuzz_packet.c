/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_packet: bytes as a packet that was captured, with all that is made of it: the packet, what
 * an ICMP error quotes, whose it is, and the facts.
 */
#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "trace/gather.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct request make_request(uint8_t family)
{
	bool v4 = family == AF_INET;
	struct request r = {.family = family,
		.proto = IPPROTO_TCP,
		.port = 3000,
		.ports = {.n = 1, .list = {40000}},
		.ranges = {.n = 1},
		.mesh = "mesh0"};
	assert(addr_parse(v4 ? "100.64.12.189" : "2606:4700:cf1:5000::bd", &r.client) == 0);
	assert(addr_parse(v4 ? "10.0.1.50" : "2001:db8:1::50", &r.target) == 0);
	assert(prefix_parse(v4 ? "100.64.0.0/12" : "2606:4700:cf1::/48", &r.ranges.list[0]) == 0);
	return r;
}

static void check(const struct packet *p, size_t size)
{
	assert(p->to.family == p->from.family);
	assert(p->quote_at <= size);
	assert(p->mss >= -1 && p->mss <= UINT16_MAX);
	assert(p->has_l4 || (!p->sport && !p->dport && !p->quote_at));
	assert(p->payload <= p->length);
}

static void make_facts(const uint8_t *data, size_t size, const struct packet *p)
{
	struct request r = make_request(p->from.family);
	struct gather *g = gather_new(&r);
	autojson sd_json_variant *facts = nullptr;
	for (int i = 0; i < 4; i++)
		gather_packet(g, &(struct sighting){.data = data,
					 .len = size,
					 .outgoing = i & 1,
					 .interface = i & 2 ? "lan0" : "mesh0",
					 .mesh = !(i & 2)});
	gather_drop(g, &(struct dropped){.data = data,
			       .len = size,
			       .reason = "NETFILTER_DROP",
			       .function = "nft_do_chain",
			       .interface = "mesh0"});
	assert(gather_facts(g, &facts) >= 0);
	for (size_t i = 0; i < sd_json_variant_elements(facts); i++) {
		struct fact f;
		assert(fact_from_json(sd_json_variant_by_index(facts, i), &f, nullptr) == 0);
	}
	gather_free(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet p, quoted;
	autofree uint8_t *copy = xcalloc(1, size);
	if (size)
		memcpy(copy, data, size);
	if (packet_parse(copy, size, &p) < 0)
		return 0;
	check(&p, size);
	if (packet_parse_quote(copy, size, &p, &quoted) == 0)
		check(&quoted, size - p.quote_at);
	make_facts(copy, size, &p);
	return 0;
}
