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
