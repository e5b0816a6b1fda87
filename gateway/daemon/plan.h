/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * plan: what must change, as data. Pure: wanted, observed and remembered state in, operations
 * out; nothing is touched. `meshgw plan` prints the same list that an apply executes.
 *
 * Order: the nft table comes first, so that no path opens before the allow list stands; then
 * sysctls (accept_ra before forwarding), then routes, additions before deletions, then what stands
 * in others' filters. Removing goes the other way round. Only routes with our protocol and metric
 * are ever deleted, only sysctls that we changed are put back, and only while our value is still
 * there.
 */
#include "daemon/config_diff.h"
#include "daemon/want.h"

enum op_kind {
	OP_NFT,
	OP_SYSCTL,
	OP_ROUTE,
	OP_REMEDY,
	OP_FRR,
	OP_PROOF,
	OP_WATCH,
	OP_BRIDGE,
	OP_TUNNEL
};
enum op_action { OP_ADD, OP_SET, OP_DELETE };

const char *op_kind_str(enum op_kind kind);
const char *op_action_str(enum op_action action);

struct op_sysctl {
	char key[SYSCTL_KEY_LEN];
	int ifindex; /* 0 = not of one interface */
	int from, to;
	bool restore; /* back to what was there before us */
};

/* Our rules in one family's filter of another program. */
struct op_remedy {
	enum remedy remedy;
	enum observed_family family;
	size_t n; /* ranges that will pass; of OP_DELETE: rules that go */
};

constexpr size_t OP_NAME_LEN = 112;

/* OP_PROOF, OP_WATCH, OP_BRIDGE and OP_TUNNEL change nothing in the kernel: how `return_path: auto`
 * looks for proof, whether flows are watched, what the HTTP bridge does. Only in plans. OP_FRR: one
 * line of FRR's configuration, without secrets, and the block that it stands in. */
struct op_frr {
	char line[OP_NAME_LEN], block[OP_NAME_LEN];
};

struct op {
	enum op_kind kind;
	enum op_action action;
	struct op_sysctl sysctl;  /* OP_SYSCTL */
	struct route route;       /* OP_ROUTE */
	struct op_remedy remedy;  /* OP_REMEDY */
	char interface[IFNAMSIZ]; /* OP_ROUTE: name of the route's interface */
	char table[OP_NAME_LEN];  /* OP_NFT: what becomes of it, where plan_explain() said it */
	struct op_frr frr;        /* OP_FRR */
};

struct ops {
	struct op *list;
	size_t n, cap;
	struct config_changes changes; /* to what the nft table holds; plan_explain() */
};

/* A sysctl that we changed: what it was, and what we wrote. Kept on disk (store.h). */
struct sysctl_record {
	char key[SYSCTL_KEY_LEN];
	int ifindex; /* the interface it belonged to; another index is another interface */
	int before, ours;
};

struct sysctl_records {
	struct sysctl_record *list;
	size_t n, cap;
};

/* Appends to *ops (empty at first). now_value reads a sysctl that no dump carries; its negative
 * result leaves the key alone. */
void plan_diff(const struct want *want, const struct observed *seen,
	const struct sysctl_records *records,
	int (*now_value)(void *arg, const char *key, int *value), void *arg, struct ops *ops);
/* Says of the operation on the nft table, if there is one, what changes between the configuration
 * that the table was written for (nullptr: nobody knows one) and the one that comes (nullptr: the
 * table goes). written: the digest of what we wrote, 0 = not by this process. */
void plan_explain(struct ops *ops, const struct config *from, const struct config *to,
	const struct nft_state *seen, uint64_t written);
/* Without changes to the nft table. */
void ops_append(struct ops *to, const struct ops *from);
void ops_clear(struct ops *ops);
/* Is there nothing left to put back? The sysctl is not wanted any more, and its interface is gone
 * or somebody has written another value, which is theirs. */
bool plan_record_spent(const struct want *want, const struct observed *seen,
	const struct sysctl_record *record,
	int (*now_value)(void *arg, const char *key, int *value), void *arg);

/* Identity of the object that an operation is about: "route 100.64.0.0/12",
 * "sysctl net.ipv4.conf.eth0.forwarding", "nft table inet meshgw", "remedy tailscale-input ip". */
const char *op_name(const struct op *op, char *buf);
/* What becomes of it: "dev CloudflareWARP metric 4261412864", "0 -> 1", "route, 3 allow entries".
 * buf of OP_NAME_LEN. */
const char *op_detail(const struct op *op, char *buf);
