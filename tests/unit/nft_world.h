/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * nft_world: a gateway in a network namespace of its own (netns.h) whose table the tests of nft/
 * write: mesh0 and lan0 with the lab's addresses, return routes, forwarding on.
 */
#include "net/nl.h"
#include "netns.h"
#include "nft/batch.h"
#include "nft/read.h"
#include "nft_models.h"

struct nft_world {
	struct netns *net;
	struct nl_sock *nl; /* netfilter */
	struct nft_conn *conn;
};

/* cmocka's per-test fixtures; *state is the struct nft_world. */
int nft_world_setup(void **state);
int nft_world_teardown(void **state);

/* Each fails the test on an error. */
void nft_world_replace(struct nft_world *w, const struct nft_model *model);
struct nft_state nft_world_read(struct nft_world *w);
uint64_t nft_world_packets(struct nft_world *w, enum nft_counter c);
void nft_world_mtu(const char *interface, int mtu);

/* Runs nft(8), which stands for everybody else. Is it content? */
bool nft_world_tool(const char *command);
