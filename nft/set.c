/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/set.h"
#include "nft/nftnl.h"
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <string.h>

/* nft(8)'s numbers of data types, include/datatype.h; a concatenation is made of six-bit pieces. */
constexpr uint32_t TYPE_INET_PROTOCOL = 12;
constexpr uint32_t TYPE_INET_SERVICE = 13;
constexpr uint32_t TYPE_IFNAME = 41;
constexpr uint32_t TYPE_BITS = 6;
constexpr uint32_t DATA_VERDICT = 0xffffff00;

/* nft(8) prints a name only if the set's user data say so (its enum byteorder). */
constexpr uint32_t HOST_ENDIAN = 1;

/* A flow's key behind the destination, in bytes; each field fills whole 32-bit registers. */
constexpr uint32_t PROTO_AT = 0;
constexpr uint32_t PORT_AT = 4;
constexpr uint32_t SOURCE_AT = 8;
constexpr uint32_t SERVICE_PORT = 4; /* of a key without a protocol */
constexpr size_t KEY_MAX = 16 + SOURCE_AT + 16;

/* A message is closed when it has grown to this; the length of an attribute has 16 bits. */
constexpr size_t LIST_FULL = 48 * 1024;

/* What is behind an address in the key, if anything. */
static const struct shape {
	uint32_t flags;
	bool flow;   /* protocol and port */
	bool source; /* and the source address */
	bool port;   /* only a port */
} shapes[] = {
	[NFT_SET_IFNAMES] = {},
	[NFT_SET_HOSTS] = {},
	[NFT_SET_PREFIXES] = {.flags = NFT_SET_INTERVAL},
	[NFT_SET_SOURCES] = {.flags = NFT_SET_INTERVAL | NFT_SET_MAP},
	[NFT_SET_FLOWS] = {.flow = true},
	[NFT_SET_FLOW_BOXES] = {NFT_SET_INTERVAL | NFT_SET_CONCAT, .flow = true, .source = true},
	[NFT_SET_SERVICES] = {.flags = NFT_SET_EVAL | NFT_SET_TIMEOUT, .port = true},
};

static uint32_t key_type(const struct shape *s, const struct nft_family *f)
{
	uint32_t address = f ? f->key_type : TYPE_IFNAME, type = address;

	if (s->flow)
		type = type << 2 * TYPE_BITS | TYPE_INET_PROTOCOL << TYPE_BITS | TYPE_INET_SERVICE;
	if (s->source)
		type = type << TYPE_BITS | address;
	if (s->port)
		type = type << TYPE_BITS | TYPE_INET_SERVICE;
	return type;
}

static void set_key(struct nftnl_set *set, const struct shape *s, const struct nft_family *f)
{
	uint8_t address = f ? f->addr_len : IFNAMSIZ;
	const uint8_t fields[] = {address, 1, 2, address};
	uint32_t len = address + (s->flow ? SOURCE_AT : 0) + (s->source ? address : 0U) +
		       (s->port ? SERVICE_PORT : 0);

	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, s->flags);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, key_type(s, f));
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, len);
	if (s->flags & NFT_SET_MAP)
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, DATA_VERDICT);
	if (s->flags & NFT_SET_CONCAT)
		nftnl_set_set_data(set, NFTNL_SET_DESC_CONCAT, fields, sizeof(fields));
}

/* The set without a size of its own. */
static struct nftnl_set *set_new(struct nft_txn *t, const char *name, enum nft_set_kind kind,
	const struct nft_family *f, const char *comment)
{
	struct nftnl_set *s = nftnl_need(nftnl_set_alloc());
	autonftnl(udata_buf) *u = nftnl_comment(NFTNL_UDATA_SET_COMMENT, comment);

	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_str(s, NFTNL_SET_TABLE, t->table);
	nftnl_set_set_str(s, NFTNL_SET_NAME, name);
	nftnl_set_set_u32(s, NFTNL_SET_ID, ++t->n_sets);
	set_key(s, &shapes[kind], f);
	if (!f)
		nftnl_udata_put_u32(u, NFTNL_UDATA_SET_KEYBYTEORDER, HOST_ENDIAN);
	nftnl_set_set_data(s, NFTNL_SET_USERDATA, nftnl_udata_buf_data(u), nftnl_udata_buf_len(u));
	return s;
}

static void set_push(struct nft_txn *t, struct nftnl_set *s)
{
	struct nlmsghdr *nlh = nft_txn_msg(
		t, NFT_MSG_NEWSET, NLM_F_CREATE, "set %s", nftnl_set_get_str(s, NFTNL_SET_NAME));

	nftnl_set_nlmsg_build_payload(nlh, s);
	nft_txn_push(t, nlh);
	t->written.sets++;
}

void nft_set_add(struct nft_txn *t, const char *name, enum nft_set_kind kind,
	const struct nft_family *f, size_t size, const char *comment)
{
	autonftnl(set) *s = set_new(t, name, kind, f, comment);

	if (size)
		nftnl_set_set_u32(s, NFTNL_SET_DESC_SIZE, (uint32_t)size);
	set_push(t, s);
}

void nft_set_add_learned(struct nft_txn *t, const char *name, const struct nft_family *f,
	size_t most, uint32_t timeout_s, const char *comment)
{
	autonftnl(set) *s = set_new(t, name, NFT_SET_SERVICES, f, comment);

	nftnl_set_set_u32(s, NFTNL_SET_DESC_SIZE, (uint32_t)most);
	nftnl_set_set_u64(s, NFTNL_SET_TIMEOUT, UINT64_C(1000) * timeout_s);
	set_push(t, s);
}

static void list_open(struct nft_elems *e)
{
	e->nlh = nft_txn_msg(e->txn, e->type, NLM_F_CREATE, "elements of set %s", e->set);
	mnl_attr_put_strz(e->nlh, NFTA_SET_ELEM_LIST_TABLE, e->txn->table);
	mnl_attr_put_strz(e->nlh, NFTA_SET_ELEM_LIST_SET, e->set);
	e->list = mnl_attr_nest_start(e->nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
}

static void list_close(struct nft_elems *e)
{
	mnl_attr_nest_end(e->nlh, e->list);
	nft_txn_push(e->txn, e->nlh);
	e->nlh = nullptr;
}

void nft_elems_begin(struct nft_elems *e, struct nft_txn *t, uint16_t type, const char *set)
{
	*e = (struct nft_elems){.txn = t, .set = set, .type = type};
}

void nft_elems_end(struct nft_elems *e)
{
	if (e->nlh)
		list_close(e);
}

void nft_set_empty(struct nft_txn *t, const char *set)
{
	struct nlmsghdr *nlh = nft_txn_msg(t, NFT_MSG_DELSETELEM, 0, "elements of set %s", set);

	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, t->table);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
	nft_txn_push(t, nlh);
}

static struct nlattr *elem_open(struct nft_elems *e)
{
	if (e->nlh && e->nlh->nlmsg_len > LIST_FULL)
		list_close(e);
	if (!e->nlh)
		list_open(e);
	e->txn->written.elements++;
	return mnl_attr_nest_start(e->nlh, NFTA_LIST_ELEM);
}

static void elem_value(struct nft_elems *e, uint16_t attr, const void *data, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(e->nlh, attr);

	mnl_attr_put(e->nlh, NFTA_DATA_VALUE, len, data);
	mnl_attr_nest_end(e->nlh, nest);
}

static void elem_key(struct nft_elems *e, const void *key, size_t len)
{
	struct nlattr *elem = elem_open(e);

	elem_value(e, NFTA_SET_ELEM_KEY, key, len);
	mnl_attr_nest_end(e->nlh, elem);
}

void nft_elem_ifname(struct nft_elems *e, const char *name)
{
	char padded[IFNAMSIZ] = {};

	memcpy(padded, name, strnlen(name, IFNAMSIZ - 1));
	elem_key(e, padded, sizeof(padded));
}

void nft_elem_host(struct nft_elems *e, const struct addr *host)
{
	elem_key(e, host->b, addr_bytes(host->family));
}

static void elem_jump(struct nft_elems *e, const char *chain)
{
	struct nlattr *data = mnl_attr_nest_start(e->nlh, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = mnl_attr_nest_start(e->nlh, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(e->nlh, NFTA_VERDICT_CODE, htonl((uint32_t)NFT_JUMP));
	mnl_attr_put_strz(e->nlh, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(e->nlh, verdict);
	mnl_attr_nest_end(e->nlh, data);
}

/* The address after a; false when a is the last one of its family. */
static bool addr_next(struct addr *a)
{
	for (size_t i = addr_bytes(a->family); i-- > 0;)
		if (++a->b[i] != 0)
			return true;
	return false;
}

/* One-field intervals are two elements, the second one past the end (nft_set_rbtree.c); an
 * interval up to the last address has no second one. */
void nft_elem_prefix(struct nft_elems *e, const struct prefix *p, const char *chain)
{
	struct nlattr *elem = elem_open(e);
	elem_value(e, NFTA_SET_ELEM_KEY, p->addr.b, addr_bytes(p->addr.family));
	if (chain)
		elem_jump(e, chain);
	mnl_attr_nest_end(e->nlh, elem);

	struct addr end = prefix_last(p);
	if (!addr_next(&end))
		return;
	elem = elem_open(e);
	elem_value(e, NFTA_SET_ELEM_KEY, end.b, addr_bytes(end.family));
	mnl_attr_put_u32(e->nlh, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	mnl_attr_nest_end(e->nlh, elem);
}

/* Destination, protocol and port of a key; returns the key's length so far. */
static size_t key_flow(uint8_t key[KEY_MAX], const struct addr *to, uint8_t proto, uint16_t port)
{
	size_t at = addr_bytes(to->family);
	uint16_t port_be = htons(port);

	memcpy(key, to->b, at);
	key[at + PROTO_AT] = proto;
	memcpy(key + at + PORT_AT, &port_be, sizeof(port_be));
	return at + SOURCE_AT;
}

void nft_elem_flow(struct nft_elems *e, const struct nft_allow *a)
{
	uint8_t key[KEY_MAX] = {};
	size_t len = key_flow(key, &a->to.addr, a->proto_first, a->port_first);

	elem_key(e, key, len);
}

void nft_elem_flow_box(struct nft_elems *e, const struct nft_allow *a)
{
	uint8_t first[KEY_MAX] = {}, last[KEY_MAX] = {};
	struct addr to_last = prefix_last(&a->to), from_last = prefix_last(&a->from);
	size_t n = addr_bytes(a->from.addr.family);
	size_t len = key_flow(first, &a->to.addr, a->proto_first, a->port_first);

	memcpy(first + len, a->from.addr.b, n);
	key_flow(last, &to_last, a->proto_last, a->port_last);
	memcpy(last + len, from_last.b, n);

	struct nlattr *elem = elem_open(e);
	elem_value(e, NFTA_SET_ELEM_KEY, first, len + n);
	elem_value(e, NFTA_SET_ELEM_KEY_END, last, len + n);
	mnl_attr_nest_end(e->nlh, elem);
}
