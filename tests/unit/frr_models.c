/* SPDX-License-Identifier: Apache-2.0 */
#include "frr_models.h"
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

constexpr size_t STATICS = 4;
constexpr size_t NEIGHBORS = 2;

static const struct {
	const char *prefix;
	bool announce;
} statics[STATICS] = {
	{"100.64.0.0/12", true},
	{"100.96.0.0/12", true},
	{"10.99.0.0/16", false},
	{"2606:4700:cf1:5000::/64", true},
};

static char no_export[] = "no-export", large[] = "65010:1:2", plain[] = "65010:100",
	    seven[] = "65010:7";
static char *communities[] = {no_export, large, plain};
static char *one_community[] = {seven};

static struct prefix prefix_of_text(const char *text)
{
	struct prefix p;
	if (prefix_parse(text, &p) < 0)
		abort();
	return p;
}

static struct addr addr_of_text(const char *text)
{
	struct addr a;
	if (addr_parse(text, &a) < 0)
		abort();
	return a;
}

/* A model and what it points to, so that each may be changed. */
struct built {
	struct frr_named_model named;
	struct frr_static statics[STATICS];
	struct frr_accept accept[2];
	struct frr_neighbor neighbors[NEIGHBORS];
};

/* "full": everything that can be said of one neighbour, and another one by IPv6. */
static void build_full(struct built *b)
{
	for (uint32_t i = 0; i < STATICS; i++)
		b->statics[i] = (struct frr_static){
			prefix_of_text(statics[i].prefix), statics[i].announce, {i + 3, 7}};
	b->accept[0] = (struct frr_accept){prefix_of_text("10.9.0.0/16"), 24, {31, 11}};
	b->accept[1] = (struct frr_accept){prefix_of_text("2001:db8:9::/48"), 48, {32, 11}};
	b->neighbors[0] = (struct frr_neighbor){
		.address = addr_of_text("10.0.1.1"),
		.remote_as = FRR_REMOTE_EXTERNAL,
		.ipv4 = true,
		.ipv6 = true,
		.description = "site  router | or?",
		.password = "s3c?ret",
		.bfd = true,
		.bfd_multiplier = 3,
		.bfd_receive_ms = 100,
		.bfd_transmit_ms = 100,
		.timers_own = true,
		.keepalive_s = 3,
		.hold_s = 9,
		.connect_s = 5,
		.communities = communities,
		.n_communities = COUNT(communities),
		.maximum_prefix = 100,
		.accept = b->accept,
		.n_accept = 2,
		.mark = {20, 7},
		.password_mark = {22, 22},
	};
	b->neighbors[1] = (struct frr_neighbor){
		.address = addr_of_text("2001:db8:1::1"),
		.remote_as = FRR_REMOTE_NUMBER,
		.asn = 65001,
		.ipv6 = true,
		.update_source = "lan0",
		.ttl_security_hops = 1,
		.mark = {40, 7},
	};
	b->named.model = (struct frr_model){
		.interface = "mesh0",
		.asn = 65010,
		.router_id = addr_of_text("10.0.1.2"),
		.statics = b->statics,
		.n_statics = STATICS,
		.neighbors = b->neighbors,
		.n_neighbors = NEIGHBORS,
		.mark = {17, 1},
		.asn_mark = {18, 8},
	};
}

static void build_plain(struct built *b)
{
	b->neighbors[0] = (struct frr_neighbor){
		.address = b->neighbors[0].address,
		.remote_as = FRR_REMOTE_EXTERNAL,
		.ipv4 = true,
		.ipv6 = true,
		.mark = {20, 7},
	};
	b->named.model.n_neighbors = 1;
	b->named.model.router_id = (struct addr){};
}

/* Each setting of "full" another way round. */
static void build_changed(struct built *b)
{
	struct frr_neighbor *first = &b->neighbors[0], *second = &b->neighbors[1];
	b->statics[1].announce = false;
	b->statics[2].announce = true;
	*first = (struct frr_neighbor){
		.address = first->address,
		.remote_as = FRR_REMOTE_NUMBER,
		.asn = 65001,
		.ipv4 = true,
		.ebgp_multihop = 3,
		.mark = first->mark,
	};
	second->bfd = true;
	second->ttl_security_hops = 0;
	second->ebgp_multihop = 255;
	second->update_source = "2001:db8:1::2";
	second->communities = one_community;
	second->n_communities = 1;
	second->password = "another";
}

static void build_less(struct built *b)
{
	b->named.model.n_neighbors = 1;
	b->named.model.n_statics = 1;
	b->named.model.interface = "lan0";
	b->neighbors[0].bfd_receive_ms = 300;
	b->neighbors[0].bfd_multiplier = 10;
	b->neighbors[0].password = "other";
}

static void build_withdrawn(struct built *b)
{
	for (size_t i = 0; i < STATICS; i++)
		b->statics[i].announce = false;
}

static void build_other_asn(struct built *b)
{
	b->named.model.asn = 65011;
}

static void build_adopting(struct built *b)
{
	for (size_t i = 0; i < NEIGHBORS; i++)
		b->neighbors[i].adopt = true;
}

static void build_consenting(struct built *b)
{
	b->named.model.announce_to_others = true;
}

static void build_internal(struct built *b)
{
	b->neighbors[0].remote_as = FRR_REMOTE_INTERNAL;
	b->neighbors[0].ebgp_multihop = 4;
	b->neighbors[0].keepalive_s = 60;
	b->neighbors[0].accept = nullptr;
	b->neighbors[0].n_accept = 0;
	b->neighbors[1].asn = 65010;
	b->neighbors[1].ipv4 = true;
}

static void build_nothing(struct built *)
{
}

const struct frr_named_model *frr_models(void)
{
	static const struct {
		const char *name;
		void (*build)(struct built *);
	} kinds[FRR_MODELS] = {
		{"full", build_nothing},
		{"plain", build_plain},
		{"changed", build_changed},
		{"less", build_less},
		{"withdrawn", build_withdrawn},
		{"other-asn", build_other_asn},
		{"adopting", build_adopting},
		{"consenting", build_consenting},
		{"internal", build_internal},
	};
	static struct built built[FRR_MODELS];
	static struct frr_named_model models[FRR_MODELS];
	for (size_t i = 0; i < FRR_MODELS && !models[i].name; i++) {
		build_full(&built[i]);
		kinds[i].build(&built[i]);
		built[i].named.name = kinds[i].name;
		models[i] = built[i].named;
	}
	return models;
}

const struct frr_model *frr_model(const char *name)
{
	if (strcmp(name, "none") == 0)
		return nullptr;
	for (size_t i = 0; i < FRR_MODELS; i++)
		if (strcmp(frr_models()[i].name, name) == 0)
			return &frr_models()[i].model;
	abort();
}
