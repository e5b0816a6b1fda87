/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kernel_dummy_int: what the files of the dummy kernel share.
 */
#include "daemon/kernel_dummy.h"

struct kernel_dummy *dummy_of(struct kernel *k);
/* Every dump, and every write, asks here first. */
[[nodiscard]] int dummy_may_read(struct kernel *k, const char *what, struct err *err);
[[nodiscard]] int dummy_may_write(
	struct kernel *k, const char *verb, const char *object, struct err *err);
/* A call that belongs to no series of faults, and fails only by its name. */
[[nodiscard]] int dummy_may_try(struct kernel *k, const char *name, struct err *err);
/* A setting of an interface, 0 when it has none. */
int dummy_value_of(
	const struct kernel_dummy *d, uint8_t family, const char *name, const char *leaf);

/* kernel_dummy_route.c */
int dummy_routes(struct kernel *k, const struct route_filter *filter,
	bool (*keep)(const struct route *r, void *arg), void *arg, struct route_set *out,
	struct err *err);
int dummy_route_add(struct kernel *k, const struct route *r, struct err *err);
int dummy_route_del(struct kernel *k, const struct route *r, struct err *err);
int dummy_rules(struct kernel *k, uint8_t family, struct rule_set *out, struct err *err);
int dummy_route_ask(struct kernel *k, const struct route_question *q, struct route_answer *answer,
	struct err *);

/* kernel_dummy_nft.c */
int dummy_nft_read(struct kernel *k, struct nft_state *state, struct err *err);
int dummy_nft_counters(struct kernel *k, struct nft_counters *out, struct err *err);
int dummy_nft_modes(struct kernel *k, struct nft_modes *out, struct err *err);
int dummy_nft_replace(struct kernel *k, const struct nft_model *model,
	const struct nft_counters *start, struct err *err);
int dummy_nft_remove(struct kernel *k, struct err *err);
int dummy_foreign_read(struct kernel *k, uint8_t family, const struct nft_mesh *mesh,
	struct nft_foreign *out, struct err *err);
int dummy_foreign_write(
	struct kernel *k, uint8_t family, const struct nft_mesh *mesh, bool pass, struct err *err);
int dummy_nft_set_modes(struct kernel *k, const struct nft_model *model, struct err *err);

/* kernel_dummy_flow.c */
int dummy_nft_witnesses(struct kernel *k, struct nft_witness *out, size_t max, struct err *err);
int dummy_ct_delete(
	struct kernel *k, const struct ct_scope *scope, unsigned kinds, struct err *err);
int dummy_ct_list(struct kernel *k, const struct ct_scope *scope, unsigned kinds,
	struct ct_flow *out, size_t max, struct err *err);
int dummy_ct_lookup(
	struct kernel *k, const struct ct_flow *flow, struct ct_state *out, struct err *err);
int dummy_probe_send(
	struct kernel *k, const struct probe_target *target, struct probe *out, struct err *err);
int dummy_probe_check(struct kernel *k, const struct probe *p);
void dummy_probe_close(struct kernel *k, struct probe *p);
void dummy_flows_clear(struct kernel_dummy *d);
