/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/learned.h"
#include "lib/marks.h"
#include "net/nl.h"
#include "nft/attr.h"
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

static struct nlmsghdr *request(struct nl_message *m, uint16_t type)
{
	struct nfgenmsg header = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};

	return nl_begin(
		m, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), 0, &header, sizeof(header));
}

/* One reading of learned services. */
struct learned {
	struct nft_witness *out;
	size_t max, n, before;
	uint8_t family;
	uint64_t timeout_ms; /* of the set */
};

static uint64_t be64_of(const struct nlattr *attr)
{
	return attr && mnl_attr_validate(attr, MNL_TYPE_U64) >= 0 ? be64toh(mnl_attr_get_u64(attr))
								  : 0;
}

static int on_learning_set(const struct nlmsghdr *nlh, void *arg)
{
	struct learned *l = arg;

	l->timeout_ms = be64_of(nft_attr_find(nlh, NFT_HEADER, NFTA_SET_TIMEOUT));
	return MNL_CB_OK;
}

/* The key is the address, and the port in a register of its own. */
static bool learned_read(const struct learned *l, const struct nlattr *elem, struct nft_witness *w)
{
	const struct nlattr *key = nft_attr_nested_find(
		nft_attr_nested_find(elem, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
	uint64_t left_ms = be64_of(nft_attr_nested_find(elem, NFTA_SET_ELEM_EXPIRATION));
	size_t size = addr_bytes(l->family);
	uint16_t port;

	if (!key || mnl_attr_get_payload_len(key) < size + sizeof(port))
		return false;
	*w = (struct nft_witness){.address = {.family = l->family}};
	memcpy(w->address.b, mnl_attr_get_payload(key), size);
	memcpy(&port, (const char *)mnl_attr_get_payload(key) + size, sizeof(port));
	w->port = ntohs(port);
	w->age_us = left_ms < l->timeout_ms ? (l->timeout_ms - left_ms) * 1000 : 0;
	return true;
}

static int on_learned(const struct nlmsghdr *nlh, void *arg)
{
	struct learned *l = arg;
	const struct nlattr *list = nft_attr_find(nlh, NFT_HEADER, NFTA_SET_ELEM_LIST_ELEMENTS);
	const struct nlattr *elem = list ? nft_attr_nested_first(list) : nullptr;
	struct nft_witness w;

	for (; elem; elem = nft_attr_nested_next(list, elem)) {
		if (!learned_read(l, elem, &w))
			continue;
		if (l->n < l->max)
			l->out[l->n] = w;
		l->n++;
	}
	return MNL_CB_OK;
}

static void learned_restart(void *arg)
{
	struct learned *l = arg;

	l->n = l->before;
}

static int read_learned(struct nl_sock *s, const char *set, struct learned *l, struct err *err)
{
	struct nl_message m;
	struct nlmsghdr *nlh = request(&m, NFT_MSG_GETSET);

	mnl_attr_put_strz(nlh, NFTA_SET_TABLE, MARK_NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_SET_NAME, set);
	int r = nl_query(s, nlh, on_learning_set, l, err);
	if (r < 0)
		return r;

	nlh = request(&m, NFT_MSG_GETSETELEM);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, MARK_NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
	l->before = l->n;
	return nl_dump(s, nlh, on_learned, learned_restart, l, err);
}

int nft_learned_witnesses(struct nl_sock *s, struct nft_witness *out, size_t max, struct err *err)
{
	static const struct {
		uint8_t family;
		const char *set;
	} sets[] = {{AF_INET, "witnesses4"}, {AF_INET6, "witnesses6"}};
	struct learned l = {.out = out, .max = max};

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		l.family = sets[i].family;
		int r = read_learned(s, sets[i].set, &l, err);
		if (r < 0 && r != -ENOENT)
			return err_ctx(err, "set %s of table inet %s", sets[i].set, MARK_NFT_TABLE);
	}
	return (int)l.n;
}

static int on_element(const struct nlmsghdr *, void *arg)
{
	*(bool *)arg = true;
	return MNL_CB_OK;
}

int nft_learned_reset(struct nl_sock *s, const struct addr *source, uint16_t port, struct err *err)
{
	size_t size = addr_bytes(source->family);
	uint8_t key[sizeof(source->b) + sizeof(uint32_t)] = {};
	uint16_t port_be = htons(port);
	bool found = false;
	struct nl_message m;

	memcpy(key, source->b, size);
	memcpy(key + size, &port_be, sizeof(port_be));
	struct nlmsghdr *nlh = request(&m, NFT_MSG_GETSETELEM);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, MARK_NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET,
		source->family == AF_INET ? "probe_resets4" : "probe_resets6");
	struct nlattr *list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *elem = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	struct nlattr *value = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);
	mnl_attr_put(nlh, NFTA_DATA_VALUE, size + sizeof(uint32_t), key);
	mnl_attr_nest_end(nlh, value);
	mnl_attr_nest_end(nlh, elem);
	mnl_attr_nest_end(nlh, list);

	int r = nl_query(s, nlh, on_element, &found, err);
	if (r < 0 && r != -ENOENT)
		return err_ctx(err, "answers to probes");
	return found;
}
