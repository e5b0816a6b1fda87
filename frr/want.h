/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * want: a model as FRR's statements.
 *
 * The one place that knows how each object of ours is spelt: exactly as FRR 10.3 spells it in
 * `show running-config`, what is FRR's default left out. render.h prints these statements, and
 * diff.h compares them byte by byte with the running ones.
 *
 * A statement stands in a block ("router bgp 65010"), perhaps in a part of it ("address-family
 * ipv4 unicast"). The head of a block or part is a statement itself, in front of its contents.
 */
#include "frr/model.h"
#include "lib/marks.h"

struct frr_want {
	char *block, *part; /* "" = none */
	char *text;
	size_t shown; /* bytes of text in front of a secret; all of it otherwise */
	struct frr_mark mark;
};

struct frr_wants {
	struct frr_want *list;
	size_t n, cap;
};

/* What a running `router bgp` decides about the spelling. */
struct frr_spelling {
	const char *bgp;   /* the block as it runs; nullptr = "router bgp" and the model's number */
	bool bgp_ours;     /* statements about `router bgp` as a whole are ours to make */
	bool default_ipv4; /* a new neighbour is activated for IPv4 without being told */
	bool default_ipv6;
	const char **defaults; /* other families, "ipv4-vpn", in which it is active as well */
	size_t n_defaults;
};

/* Which neighbours: those whose bit is false in skip (n_neighbors long; nullptr = all). */
void frr_want_all(const struct frr_model *model, const struct frr_spelling *spelling,
	const bool *skip, struct frr_wants *out);
void frr_wants_clear(struct frr_wants *wants);

/* Does the statement open a block or a part of one, which "exit" leaves? */
bool frr_is_block(const char *text);
/* "address-family …": a part that is there when something stands in it, and that "exit" would
 * leave as well, but FRR writes "exit-address-family". */
bool frr_is_family(const char *part);
/* "address-family ipv4 unicast", or ipv6. */
const char *frr_family_part(bool v6);

constexpr size_t FRR_NAME_LEN = 64;
#define FRR_NAME_RANGES MARK_FRR_NAME "-RANGES"   /* prefix-lists: what is announced now */
#define FRR_NAME_NETWORK MARK_FRR_NAME "-NETWORK" /* route-map of our network statements */

/* "MESHGW-OUT-10.0.1.1": the name of an object of one neighbour. Returns buf. */
const char *frr_name_str(const char *kind, const struct addr *neighbor, char buf[FRR_NAME_LEN]);
