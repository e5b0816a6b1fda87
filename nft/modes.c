/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/modes.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include "net/nl.h"
#include "nft/attr.h"
#include "nft/expr.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct key_list {
	struct addr *list;
	size_t n, cap;
};

/* The keys of one set: those that begin an interval (or are all there is), and those behind one. */
struct keys {
	uint8_t family;
	struct key_list begins, ends;
};

static void keys_clear(struct keys *k)
{
	free(k->begins.list);
	free(k->ends.list);
	*k = (struct keys){.family = k->family};
}

static void restart(void *arg)
{
	keys_clear(arg);
}

static void key_read(struct keys *k, const struct nlattr *elem)
{
	const struct nlattr *key = nft_attr_nested_find(elem, NFTA_SET_ELEM_KEY);
	const struct nlattr *value = key ? nft_attr_nested_find(key, NFTA_DATA_VALUE) : nullptr;
	const struct nlattr *flags = nft_attr_nested_find(elem, NFTA_SET_ELEM_FLAGS);
	bool end = flags && mnl_attr_validate(flags, MNL_TYPE_U32) >= 0 &&
		   ntohl(mnl_attr_get_u32(flags)) & NFT_SET_ELEM_INTERVAL_END;
	struct key_list *into = end ? &k->ends : &k->begins;
	struct addr a = {.family = k->family};

	if (!value || mnl_attr_get_payload_len(value) != addr_bytes(k->family))
		return;
	memcpy(a.b, mnl_attr_get_payload(value), addr_bytes(k->family));
	XGROW(into->list, into->n, into->cap);
	into->list[into->n++] = a;
}

static int on_elements(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *list = nft_attr_find(nlh, NFT_HEADER, NFTA_SET_ELEM_LIST_ELEMENTS);
	const struct nlattr *elem = list ? nft_attr_nested_first(list) : nullptr;

	for (; elem; elem = nft_attr_nested_next(list, elem))
		key_read(arg, elem);
	return MNL_CB_OK;
}

static int read_set(struct nl_sock *s, const char *base, const struct nft_family *f,
	struct keys *out, struct err *err)
{
	struct nfgenmsg header = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};
	struct nl_message m;
	char set[40];
	struct nlmsghdr *nlh = nl_begin(
		&m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM, 0, &header, sizeof(header));

	snprintf(set, sizeof(set), "%s%s", base, f->suffix);
	*out = (struct keys){.family = f->family};
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, MARK_NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
	int r = nl_dump(s, nlh, on_elements, restart, out, err);
	if (r < 0)
		keys_clear(out);
	return r;
}

static int by_addr(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

static struct addr addr_before(struct addr a)
{
	for (size_t i = addr_bytes(a.family); i-- > 0;)
		if (a.b[i]-- != 0)
			break;
	return a;
}

static struct addr last_of_family(uint8_t family)
{
	struct prefix all = {.addr = {.family = family}};
	return prefix_last(&all);
}

/* Intervals do not overlap, so each ends before the first end behind its beginning. */
static void take_intervals(struct nft_modes *out, struct keys *k)
{
	if (k->begins.n)
		qsort(k->begins.list, k->begins.n, sizeof(*k->begins.list), by_addr);
	if (k->ends.n)
		qsort(k->ends.list, k->ends.n, sizeof(*k->ends.list), by_addr);
	for (size_t i = 0, j = 0; i < k->begins.n; i++) {
		while (j < k->ends.n && addr_cmp(&k->ends.list[j], &k->begins.list[i]) <= 0)
			j++;
		XGROW(out->networks, out->n_networks, out->cap_networks);
		out->networks[out->n_networks++] = (struct nft_interval){.first = k->begins.list[i],
			.last = j < k->ends.n ? addr_before(k->ends.list[j])
					      : last_of_family(k->family)};
	}
}

static void take_hosts(struct nft_modes *out, const struct keys *k)
{
	for (size_t i = 0; i < k->begins.n; i++) {
		XGROW(out->hosts, out->n_hosts, out->cap_hosts);
		out->hosts[out->n_hosts++] = k->begins.list[i];
	}
}

/* 1, or 0 when the table has no source NAT of this family. */
static int read_family(
	struct nl_sock *s, const struct nft_family *f, struct nft_modes *out, struct err *err)
{
	struct keys networks, hosts;
	int r = read_set(s, "masquerade_networks", f, &networks, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	take_intervals(out, &networks);
	keys_clear(&networks);
	r = read_set(s, "masquerade_hosts", f, &hosts, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	take_hosts(out, &hosts);
	keys_clear(&hosts);
	return 1;
}

int nft_read_modes(struct nl_sock *s, struct nft_modes *out, struct err *err)
{
	struct nft_modes modes = {};
	int found = 0;

	for (size_t i = 0; i < 2; i++) {
		int r = read_family(s, &nft_families[i], &modes, err);
		if (r < 0) {
			nft_modes_clear(&modes);
			return err_ctx(err, "source NAT of table inet %s", MARK_NFT_TABLE);
		}
		found |= r;
	}
	*out = modes;
	return found;
}

void nft_modes_clear(struct nft_modes *m)
{
	free(m->networks);
	free(m->hosts);
	*m = (struct nft_modes){};
}
