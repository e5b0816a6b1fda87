/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * gateway_int: what the files of the gateway share: gateway.c (the pass), gateway_event.c (what
 * notifications mark), gateway_observe.c (reading what is marked), gateway_apply.c (writing),
 * gateway_modes.c (switching source NAT).
 */
#include "daemon/gateway.h"

/* A cap on others' routes inside the ranges that are kept for showing. */
constexpr size_t FOREIGN_MAX = 64;

/* Is the prefix equal to or inside one of the mesh ranges? */
bool gateway_in_ranges(const struct config *config, const struct prefix *p);
void route_set_add(struct route_set *set, const struct route *r);
/* Forgets every route that match() accepts; returns how many. */
size_t route_set_forget(struct route_set *set,
	bool (*match)(const struct route *r, const void *arg), const void *arg);

/* Reads what is marked and takes the marks away. 0, or the first -errno: what could not be read is
 * then known as it was and marked in g->unread, or, where nothing can be done without it, still
 * marked in g->dirty. */
[[nodiscard]] int gateway_observe(struct gateway *g, struct err *err);
/* The same for a pass, with one complaint for failures in a row. Can the pass go on? */
bool gateway_look(struct gateway *g);
/* Our table, and whether it is still what we wrote. 0 or -errno. */
[[nodiscard]] int gateway_read_nft(struct gateway *g, struct err *err);

/* What other programs' filters do to the mesh. 0 or -errno. */
[[nodiscard]] int gateway_read_inputs(struct gateway *g, struct err *err);
/* What comes from the mesh; borrows from g. */
struct nft_mesh gateway_mesh(const struct gateway *g);
/* Is the table what the model says? Then its digest is remembered. 0 or -errno. */
[[nodiscard]] int gateway_read_back(struct gateway *g, struct err *err);
/* Once after a start: networks in mode auto begin as the table has them. */
void gateway_adopt_modes(struct gateway *g);

struct gateway_applied {
	unsigned kinds; /* bit per enum op_kind that changed something */
	uint64_t next;  /* when the first of the rest is due again, 0 = nothing waits */
};
/* Writes what is due; failures and successes go into the tracks. */
struct gateway_applied gateway_apply(struct gateway *g, const struct ops *ops, uint64_t now_us);
/* Stores the records of sysctls. 0 or -errno. */
int gateway_save_records(struct gateway *g, struct err *err);
/* A dump of our routes is due then at the latest. */
void gateway_verify_at(struct gateway *g, uint64_t at_us);
