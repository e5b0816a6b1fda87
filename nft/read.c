/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/read.h"
#include "lib/marks.h"
#include "lib/xmalloc.h"
#include "net/nl.h"
#include "nft/attr.h"
#include "nft/digest.h"
#include "nft/nftnl.h"
#include "nft/table.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

constexpr unsigned READ_RETRIES = 5;

/* One reading of the table. A dump that has to start over goes back to `before`. */
struct reading {
	struct nft_state state, before;
	char (*sets)[NFT_SET_MAXNAMELEN];
	size_t n_sets, cap_sets, sets_before; /* those whose elements count */
	size_t n_objects;
	const char *set; /* whose elements are coming */
};

static struct nlmsghdr *request(struct nl_message *m, uint16_t type)
{
	struct nfgenmsg header = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};

	return nl_begin(
		m, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), 0, &header, sizeof(header));
}

/* nullptr if it is absent or not a string. */
static const char *attr_str(const struct nlmsghdr *nlh, uint16_t type)
{
	const struct nlattr *attr = nft_attr_find(nlh, NFT_HEADER, type);

	return attr && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0 ? mnl_attr_get_str(attr)
									 : nullptr;
}

/* 0 if it is absent. */
static uint32_t attr_be32(const struct nlmsghdr *nlh, uint16_t type)
{
	const struct nlattr *attr = nft_attr_find(nlh, NFT_HEADER, type);

	return attr && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0 ? ntohl(mnl_attr_get_u32(attr))
								  : 0;
}

/* Attribute 1 of every kind of object is the name of its table. Some dumps filter by it in the
 * kernel, chains and flow tables do not; all filter by family. */
static bool is_ours(const struct nlmsghdr *nlh)
{
	static_assert(NFTA_CHAIN_TABLE == 1 && NFTA_RULE_TABLE == 1 && NFTA_SET_TABLE == 1 &&
		      NFTA_OBJ_TABLE == 1 && NFTA_FLOWTABLE_TABLE == 1);
	const char *table = attr_str(nlh, 1);

	return table && strcmp(table, MARK_NFT_TABLE) == 0;
}

static int on_table(const struct nlmsghdr *nlh, void *arg)
{
	struct nft_state *st = arg;
	uint32_t flags = attr_be32(nlh, NFTA_TABLE_FLAGS);

	st->exists = true;
	st->owned = flags & NFT_TABLE_F_OWNER;
	st->persistent = flags & NFT_TABLE_F_PERSIST;
	st->digest += nft_digest_object(nlh, 0);
	return MNL_CB_OK;
}

static int on_chain(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *rd = arg;

	if (is_ours(nlh)) {
		rd->state.n_chains++;
		rd->state.digest += nft_digest_object(nlh, 0);
	}
	return MNL_CB_OK;
}

static int on_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *rd = arg;

	if (is_ours(nlh))
		rd->state.digest += nft_digest_object(nlh, rd->state.n_rules++);
	return MNL_CB_OK;
}

static int on_set(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *rd = arg;
	const char *name = attr_str(nlh, NFTA_SET_NAME);

	if (!is_ours(nlh) || !name || strlen(name) >= NFT_SET_MAXNAMELEN)
		return MNL_CB_OK;
	XGROW(rd->sets, rd->n_sets, rd->cap_sets);
	memcpy(rd->sets[rd->n_sets], name, strlen(name) + 1);
	/* Packets fill the others. */
	if (!(attr_be32(nlh, NFTA_SET_FLAGS) & NFT_SET_EVAL))
		rd->n_sets++;
	rd->state.n_sets++;
	rd->state.digest += nft_digest_object(nlh, 0);
	return MNL_CB_OK;
}

static int on_elements(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *rd = arg;
	const struct nlattr *list = nft_attr_find(nlh, NFT_HEADER, NFTA_SET_ELEM_LIST_ELEMENTS);
	const struct nlattr *elem = list ? nft_attr_nested_first(list) : nullptr;

	for (; elem; elem = nft_attr_nested_next(list, elem)) {
		rd->state.n_elements++;
		rd->state.digest += nft_digest_element(rd->set, elem);
	}
	return MNL_CB_OK;
}

static int on_flowtable(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *rd = arg;

	if (is_ours(nlh))
		rd->state.digest += nft_digest_object(nlh, 0);
	return MNL_CB_OK;
}

static void counter_read(const struct nlmsghdr *nlh, struct nft_counters *out)
{
	autonftnl(obj) *obj = nftnl_need(nftnl_obj_alloc());

	if (nftnl_obj_nlmsg_parse(nlh, obj) < 0 || !nftnl_obj_is_set(obj, NFTNL_OBJ_NAME) ||
		nftnl_obj_get_u32(obj, NFTNL_OBJ_TYPE) != NFT_OBJECT_COUNTER)
		return;
	for (enum nft_counter c = 0; c < NFT_COUNTERS; c++)
		if (strcmp(nft_counter_str(c), nftnl_obj_get_str(obj, NFTNL_OBJ_NAME)) == 0) {
			out->of[c].packets = nftnl_obj_get_u64(obj, NFTNL_OBJ_CTR_PKTS);
			out->of[c].bytes = nftnl_obj_get_u64(obj, NFTNL_OBJ_CTR_BYTES);
		}
}

static int on_object(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *rd = arg;

	if (is_ours(nlh)) {
		rd->n_objects++;
		counter_read(nlh, &rd->state.counters);
		rd->state.digest += nft_digest_object(nlh, 0);
	}
	return MNL_CB_OK;
}

static int on_generation(const struct nlmsghdr *nlh, void *arg)
{
	*(uint32_t *)arg = attr_be32(nlh, NFTA_GEN_ID);
	return MNL_CB_OK;
}

static int read_generation(struct nl_sock *s, uint32_t *out, struct err *err)
{
	struct nl_message m;

	return nl_query(s, request(&m, NFT_MSG_GETGEN), on_generation, out, err);
}

static int read_table(struct nl_sock *s, struct nft_state *st, struct err *err)
{
	struct nl_message m;
	struct nlmsghdr *nlh = request(&m, NFT_MSG_GETTABLE);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, MARK_NFT_TABLE);
	return nl_query(s, nlh, on_table, st, err);
}

static void start_over(void *arg)
{
	struct reading *rd = arg;

	rd->state = rd->before;
	rd->n_sets = rd->sets_before;
}

static int dump(
	struct nl_sock *s, struct reading *rd, struct nlmsghdr *nlh, mnl_cb_t cb, struct err *err)
{
	rd->before = rd->state;
	rd->sets_before = rd->n_sets;
	return nl_dump(s, nlh, cb, start_over, rd, err);
}

/* Everything but elements, in the order of this table. */
static const struct {
	uint16_t type;
	bool by_table; /* the kernel filters by the table's name */
	mnl_cb_t cb;
} dumps[] = {
	{NFT_MSG_GETCHAIN, false, on_chain},
	{NFT_MSG_GETRULE, true, on_rule},
	{NFT_MSG_GETSET, true, on_set},
	{NFT_MSG_GETOBJ, true, on_object},
	{NFT_MSG_GETFLOWTABLE, false, on_flowtable},
};

static int read_objects(struct nl_sock *s, struct reading *rd, struct err *err)
{
	struct nl_message m;

	for (size_t i = 0; i < sizeof(dumps) / sizeof(dumps[0]); i++) {
		struct nlmsghdr *nlh = request(&m, dumps[i].type);
		if (dumps[i].by_table)
			mnl_attr_put_strz(nlh, 1, MARK_NFT_TABLE);
		int r = dump(s, rd, nlh, dumps[i].cb, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_elements(struct nl_sock *s, struct reading *rd, struct err *err)
{
	struct nl_message m;

	for (size_t i = 0; i < rd->n_sets; i++) {
		struct nlmsghdr *nlh = request(&m, NFT_MSG_GETSETELEM);
		rd->set = rd->sets[i];
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, MARK_NFT_TABLE);
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, rd->set);
		int r = dump(s, rd, nlh, on_elements, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_all(struct nl_sock *s, struct reading *rd, struct err *err)
{
	int r = read_table(s, &rd->state, err);

	if (r == 0)
		r = read_objects(s, rd, err);
	if (r == 0)
		r = read_elements(s, rd, err);
	return r;
}

/* One attempt. 1 = somebody changed the ruleset meanwhile. What is gone between two dumps is a
 * change too, so errors count only when the generation stayed. */
static int read_once(struct nl_sock *s, struct reading *rd, struct err *err)
{
	uint32_t before = 0, after = 0;
	int r = read_generation(s, &before, err);
	if (r < 0)
		return r;

	struct err failed = {};
	int result = read_all(s, rd, &failed);
	r = read_generation(s, &after, err);
	if (r < 0)
		return r;
	if (before != after || result == -EAGAIN)
		return 1;
	if (result == -ENOENT && !rd->state.exists)
		return 0;
	return result < 0 ? err_set(err, -result, "%s", failed.msg) : 0;
}

int nft_read(struct nl_sock *s, struct nft_state *state, struct err *err)
{
	for (unsigned i = 0; i < READ_RETRIES; i++) {
		struct reading rd = {};
		int r = read_once(s, &rd, err);
		free(rd.sets);
		if (r == 0)
			*state = rd.state;
		if (r < 0)
			return err_ctx(err, "table inet %s", MARK_NFT_TABLE);
		if (r == 0)
			return 0;
	}
	return err_set(err, EAGAIN, "table inet %s: the ruleset kept changing while it was read",
		MARK_NFT_TABLE);
}

int nft_read_counters(struct nl_sock *s, struct nft_counters *out, struct err *err)
{
	struct nl_message m;
	struct nlmsghdr *nlh = request(&m, NFT_MSG_GETOBJ);
	struct reading rd = {};

	mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, MARK_NFT_TABLE);
	mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	int r = dump(s, &rd, nlh, on_object, err);
	if (r < 0)
		return err_ctx(err, "counters of table inet %s", MARK_NFT_TABLE);
	if (rd.n_objects == 0)
		return err_set(err, ENOENT, "table inet %s does not exist", MARK_NFT_TABLE);
	*out = rd.state.counters;
	return 0;
}

void nft_expect(const struct nft_model *model, struct nft_state *out)
{
	struct nft_txn t;

	nft_txn_begin(&t, 0);
	nft_table_build(&t, model, 0, nullptr);
	*out = (struct nft_state){
		.exists = true,
		.n_chains = t.written.chains,
		.n_rules = t.written.rules,
		.n_sets = t.written.sets,
		.n_elements = t.written.elements,
	};
	nft_txn_clear(&t);
}
