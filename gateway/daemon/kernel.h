/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kernel: the boundary between deciding and doing.
 *
 * Everything the reconciler asks of the kernel or changes in it goes through this table of
 * functions, so that the whole daemon also runs over the dummy (kernel_dummy.h), where any call
 * can be made to fail. kernel_linux.h is the real one. Each function answers as the library
 * function that it stands for (net/, nft/): 0 or -errno, with a sentence in err.
 *
 * The table has no memory of its own: what was seen and what is wanted belongs to gateway.h.
 */
#include "net/ct.h"
#include "net/link.h"
#include "net/netconf.h"
#include "net/probe.h"
#include "net/route.h"
#include "net/rule.h"
#include "nft/foreign.h"
#include "nft/learned.h"
#include "nft/model.h"
#include "nft/modes.h"
#include "nft/read.h"

struct kernel;

struct kernel_ops {
	int (*links)(struct kernel *k, struct link_set *out, struct err *err);
	int (*addresses)(struct kernel *k, struct ifaddr_set *out, struct err *err);
	int (*netconfs)(struct kernel *k, uint8_t family, struct netconf_set *out, struct err *err);
	int (*routes)(struct kernel *k, const struct route_filter *filter,
		bool (*keep)(const struct route *r, void *arg), void *arg, struct route_set *out,
		struct err *err);
	int (*rules)(struct kernel *k, uint8_t family, struct rule_set *out, struct err *err);
	int (*route_ask)(struct kernel *k, const struct route_question *q,
		struct route_answer *answer, struct err *err);
	int (*link_tx)(struct kernel *k, int ifindex, struct link_tx *out, struct err *err);
	int (*sysctl_get)(struct kernel *k, const char *key, int *value);
	int (*nft_read)(struct kernel *k, struct nft_state *state, struct err *err);
	int (*nft_counters)(struct kernel *k, struct nft_counters *out, struct err *err);
	int (*nft_modes)(struct kernel *k, struct nft_modes *out, struct err *err);
	int (*nft_witnesses)(
		struct kernel *k, struct nft_witness *out, size_t max, struct err *err);
	int (*ct_list)(struct kernel *k, const struct ct_scope *scope, unsigned kinds,
		struct ct_flow *out, size_t max, struct err *err);
	/* Of a probe: also what conntrack forgot when a RST came (MARK_PROBE_REFUSED). */
	int (*ct_lookup)(struct kernel *k, const struct ct_flow *flow, struct ct_state *out,
		struct err *err);
	int (*probe_check)(struct kernel *k, const struct probe *p);
	int (*foreign_read)(struct kernel *k, uint8_t family, const struct nft_mesh *mesh,
		struct nft_foreign *out, struct err *err);

	/* Writes. */
	int (*route_add)(struct kernel *k, const struct route *r, struct err *err);
	int (*route_del)(struct kernel *k, const struct route *r, struct err *err);
	int (*sysctl_set)(struct kernel *k, const char *key, int value);
	int (*nft_replace)(struct kernel *k, const struct nft_model *model,
		const struct nft_counters *start, struct err *err);
	int (*nft_remove)(struct kernel *k, struct err *err);
	int (*nft_set_modes)(struct kernel *k, const struct nft_model *model, struct err *err);
	int (*ct_delete)(
		struct kernel *k, const struct ct_scope *scope, unsigned kinds, struct err *err);
	int (*probe_send)(struct kernel *k, const struct probe_target *target, struct probe *out,
		struct err *err);
	void (*probe_close)(struct kernel *k, struct probe *p);
	int (*foreign_write)(struct kernel *k, uint8_t family, const struct nft_mesh *mesh,
		bool pass, struct err *err);

	void (*close)(struct kernel *k);
};

/* First member of every implementation. */
struct kernel {
	const struct kernel_ops *ops;
	bool nft_owned; /* after nft_replace: nobody else can change the table */
};
