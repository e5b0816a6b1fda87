/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/diag.h"
#include "lib/xmalloc.h"
#include "net/nl.h"
#include "nft/attr.h"
#include "nft/batch.h"
#include "nft/diag_int.h"
#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

constexpr unsigned NAMES = 64; /* that are tried; one is taken by each diagnosis under way */
constexpr size_t TABLE_LEN = sizeof(NFT_DIAG_TABLE) + 10;

struct nft_diag {
	struct nl_sock *nl;
	struct nft_conn *conn;
	struct nft_diag_ask ask; /* without ranges */
	char table[TABLE_LEN];
};

static int create(
	struct nft_diag *d, const struct nft_diag_ask *ask, bool at_ingress, struct err *err)
{
	struct nft_txn t;

	nft_conn_begin(d->conn, &t);
	t.table = d->table;
	nft_diag_build(&t, ask, at_ingress);
	int r = nft_conn_commit(d->conn, &t, "table of the diagnosis", err);
	nft_txn_clear(&t);
	return r;
}

/* Somebody else's table of this name is there, or it is there and has an owner. */
static bool name_is_taken(int r)
{
	return r == -EEXIST || r == -EBUSY;
}

/* What the kernel says to a hook that it does not have, or an interface that is not there. */
static bool ingress_is_refused(int r)
{
	return r == -ENOENT || r == -EOPNOTSUPP || r == -EINVAL || r == -ENODEV;
}

static int create_any(struct nft_diag *d, const struct nft_diag_ask *ask, struct err *err)
{
	bool at_ingress = true;
	int r = -EEXIST;

	for (unsigned i = 1; name_is_taken(r) && i <= NAMES; i++) {
		snprintf(d->table, sizeof(d->table), NFT_DIAG_TABLE "%u", i);
		r = create(d, ask, at_ingress, err);
		if (at_ingress && ingress_is_refused(r)) {
			at_ingress = false;
			r = create(d, ask, at_ingress, err);
		}
	}
	return r;
}

int nft_diag_open(const struct nft_diag_ask *ask, struct nft_diag **out, struct err *err)
{
	assert(ask->client.family == ask->target.family && addr_bytes(ask->target.family));
	assert(ask->mine_first <= ask->mine_last);
	struct nft_diag *d = xcalloc(1, sizeof(*d));

	d->ask = *ask;
	d->ask.ranges = nullptr;
	d->ask.n_ranges = 0;
	int r = nl_open(NETLINK_NETFILTER, &d->nl, err);
	if (r == 0)
		r = nft_conn_new(d->nl, &d->conn, err);
	if (r == 0)
		r = create_any(d, ask, err);
	if (r < 0) {
		nft_diag_close(d);
		return r;
	}
	*out = d;
	return 0;
}

/* The kernel removes the tables of a socket that is closed (nf_tables_api.c, nft_rcv_nl_event). */
void nft_diag_close(struct nft_diag *d)
{
	if (!d)
		return;
	nft_conn_free(d->conn);
	nl_close(d->nl);
	free(d);
}

const char *nft_diag_table(const struct nft_diag *d)
{
	return d->table;
}

struct reading {
	uint8_t family;
	enum nft_answer_kind kind;
	bool own;
	struct nft_answer *out;
	size_t max, n, before;
};

static uint64_t packets_of(const struct nlattr *elem)
{
	const struct nlattr *expr = nft_attr_nested_find(elem, NFTA_SET_ELEM_EXPR);
	const struct nlattr *packets = nft_attr_nested_find(
		nft_attr_nested_find(expr, NFTA_EXPR_DATA), NFTA_COUNTER_PACKETS);

	return packets && mnl_attr_validate(packets, MNL_TYPE_U64) >= 0
		       ? be64toh(mnl_attr_get_u64(packets))
		       : 0;
}

static uint16_t port_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* What the fields of nft_diag_kinds[] are. */
static void read_fields(
	const struct nft_diag_kind *kind, const uint8_t *fields, struct nft_answer *a)
{
	const uint8_t *second = fields + 4, *third = fields + 8;

	a->mine = port_at(second);
	if (kind->icmp) {
		a->type = fields[0];
		a->code = fields[1];
	} else {
		a->port = port_at(fields);
	}
	if (kind->quotes && kind->proto != IPPROTO_ICMP)
		a->port = port_at(third);
	else if (kind->proto == IPPROTO_TCP)
		a->flags = third[0];
}

static bool read_element(const struct reading *rd, const struct nlattr *elem, struct nft_answer *a)
{
	const struct nft_diag_kind *kind = &nft_diag_kinds[rd->kind];
	const struct nlattr *key = nft_attr_nested_find(
		nft_attr_nested_find(elem, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
	size_t address = addr_bytes(rd->family), fields = 0;

	while (fields < NFT_DIAG_FIELDS && kind->fields[fields].len)
		fields++;
	if (!key || mnl_attr_get_payload_len(key) != address + 4 * fields + IFNAMSIZ)
		return false;
	const uint8_t *at = mnl_attr_get_payload(key);
	*a = (struct nft_answer){.kind = rd->kind, .own = rd->own, .packets = packets_of(elem)};
	a->from.family = rd->family;
	memcpy(a->from.b, at, address);
	read_fields(kind, at + address, a);
	memcpy(a->oif, at + address + 4 * fields, IFNAMSIZ - 1);
	return true;
}

static int on_elements(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *rd = arg;
	const struct nlattr *list = nft_attr_find(nlh, NFT_HEADER, NFTA_SET_ELEM_LIST_ELEMENTS);
	const struct nlattr *elem = list ? nft_attr_nested_first(list) : nullptr;
	struct nft_answer a;

	for (; elem; elem = nft_attr_nested_next(list, elem)) {
		if (!read_element(rd, elem, &a))
			continue;
		if (rd->n < rd->max)
			rd->out[rd->n] = a;
		rd->n++;
	}
	return MNL_CB_OK;
}

static void restart(void *arg)
{
	struct reading *rd = arg;

	rd->n = rd->before;
}

static int read_set(struct nft_diag *d, struct reading *rd, struct err *err)
{
	struct nfgenmsg header = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};
	char set[NFT_DIAG_SET_LEN];
	struct nl_message m;
	struct nlmsghdr *nlh = nl_begin(
		&m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM, 0, &header, sizeof(header));

	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, d->table);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, nft_diag_set(rd->kind, rd->own, set));
	rd->before = rd->n;
	return nl_dump(d->nl, nlh, on_elements, restart, rd, err);
}

int nft_diag_read(struct nft_diag *d, struct nft_answer *out, size_t max, struct err *err)
{
	struct reading rd = {.family = d->ask.target.family, .out = out, .max = max};

	for (rd.kind = 0; rd.kind < NFT_ANSWER_KINDS; rd.kind++) {
		if (!nft_diag_expects(&d->ask, rd.kind))
			continue;
		for (unsigned own = 0; own < 2; own++) {
			rd.own = own;
			int r = read_set(d, &rd, err);
			if (r < 0)
				return err_ctx(err, "table inet %s", d->table);
		}
	}
	return (int)rd.n;
}
