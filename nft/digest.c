/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/digest.h"
#include "nft/attr.h"
#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#define BIT(attr) (UINT32_C(1) << (attr))

/* How many elements the set has: NFTA_SET_COUNT of Linux 6.17, newer than our headers. */
constexpr unsigned SET_COUNT = 20;

/* Attributes that say nothing about the content, by message type. */
static const uint32_t skipped[NFT_MSG_MAX] = {
	[NFT_MSG_NEWTABLE] = BIT(NFTA_TABLE_FLAGS) | BIT(NFTA_TABLE_USE) | BIT(NFTA_TABLE_HANDLE) |
			     BIT(NFTA_TABLE_OWNER),
	[NFT_MSG_NEWCHAIN] = BIT(NFTA_CHAIN_HANDLE) | BIT(NFTA_CHAIN_USE) |
			     BIT(NFTA_CHAIN_COUNTERS),
	[NFT_MSG_NEWRULE] = BIT(NFTA_RULE_HANDLE) | BIT(NFTA_RULE_POSITION),
	[NFT_MSG_NEWSET] = BIT(NFTA_SET_HANDLE) | BIT(SET_COUNT),
	[NFT_MSG_NEWOBJ] = BIT(NFTA_OBJ_HANDLE) | BIT(NFTA_OBJ_USE) | BIT(NFTA_OBJ_DATA),
	[NFT_MSG_NEWFLOWTABLE] = BIT(NFTA_FLOWTABLE_HANDLE) | BIT(NFTA_FLOWTABLE_USE),
};

/* FNV-1a, 64 bits (RFC 9923). */
static uint64_t fnv(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t fnv_start(uint32_t salt)
{
	return fnv(UINT64_C(0xcbf29ce484222325), &salt, sizeof(salt));
}

/* Sums of bare FNV values cancel each other too easily; this is splitmix64's finalizer. */
static uint64_t finish(uint64_t hash)
{
	hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
	return hash ^ hash >> 31;
}

static uint64_t fnv_attr(uint64_t hash, const struct nlattr *attr)
{
	uint16_t type = mnl_attr_get_type(attr), len = mnl_attr_get_payload_len(attr);

	hash = fnv(hash, &type, sizeof(type));
	hash = fnv(hash, &len, sizeof(len));
	return fnv(hash, mnl_attr_get_payload(attr), len);
}

/* Whose the table is comes and goes with processes; "dormant" is an edit. */
static uint64_t fnv_table_flags(uint64_t hash, const struct nlattr *attr)
{
	if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
		return hash;
	uint32_t flags = ntohl(mnl_attr_get_u32(attr));
	flags &= ~(uint32_t)(NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST);
	return fnv(hash, &flags, sizeof(flags));
}

uint64_t nft_digest_object(const struct nlmsghdr *nlh, uint32_t place)
{
	uint32_t type = NFNL_MSG_TYPE(nlh->nlmsg_type);
	uint32_t skip = type < NFT_MSG_MAX ? skipped[type] : 0;
	uint64_t hash = fnv_start(type << 24 ^ place);
	const struct nlattr *attr = nft_attr_first(nlh, NFT_HEADER);

	for (; attr; attr = nft_attr_next(nlh, attr)) {
		uint16_t a = mnl_attr_get_type(attr);
		if (type == NFT_MSG_NEWTABLE && a == NFTA_TABLE_FLAGS)
			hash = fnv_table_flags(hash, attr);
		else if (a >= 32 || !(skip & BIT(a)))
			hash = fnv_attr(hash, attr);
	}
	return finish(hash);
}

uint64_t nft_digest_element(const char *set, const struct nlattr *elem)
{
	uint64_t hash = fnv_start((uint32_t)NFT_MSG_NEWSETELEM << 24);

	hash = fnv(hash, set, strlen(set) + 1);
	return finish(fnv_attr(hash, elem));
}
