/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * attr: walking over the attributes of an nfnetlink message, bounds checked. libmnl's own macros
 * narrow a pointer difference in silence, and our warnings do not.
 */
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <stddef.h>
#include <stdint.h>

/* Fixed header of every message but acknowledgements. */
constexpr size_t NFT_HEADER = sizeof(struct nfgenmsg);

static inline const struct nlattr *nft_attr_check(const struct nlattr *attr, const void *end)
{
	return mnl_attr_ok(attr, (int)((const char *)end - (const char *)attr)) ? attr : nullptr;
}

/* Attributes of a message behind `skip` bytes of fixed header; nullptr at the end. */
static inline const struct nlattr *nft_attr_first(const struct nlmsghdr *nlh, size_t skip)
{
	return nft_attr_check(
		mnl_nlmsg_get_payload_offset(nlh, skip), mnl_nlmsg_get_payload_tail(nlh));
}

static inline const struct nlattr *nft_attr_next(
	const struct nlmsghdr *nlh, const struct nlattr *attr)
{
	return nft_attr_check(mnl_attr_next(attr), mnl_nlmsg_get_payload_tail(nlh));
}

/* The first one of this type, nullptr if there is none. */
static inline const struct nlattr *nft_attr_find(
	const struct nlmsghdr *nlh, size_t skip, uint16_t type)
{
	const struct nlattr *attr = nft_attr_first(nlh, skip);

	while (attr && mnl_attr_get_type(attr) != type)
		attr = nft_attr_next(nlh, attr);
	return attr;
}

/* Attributes inside an attribute. */
static inline const struct nlattr *nft_attr_nested_check(
	const struct nlattr *nest, const struct nlattr *attr)
{
	const char *inside = mnl_attr_get_payload(nest);

	return nft_attr_check(attr, inside + mnl_attr_get_payload_len(nest));
}

static inline const struct nlattr *nft_attr_nested_first(const struct nlattr *nest)
{
	return nft_attr_nested_check(nest, mnl_attr_get_payload(nest));
}

static inline const struct nlattr *nft_attr_nested_next(
	const struct nlattr *nest, const struct nlattr *attr)
{
	return nft_attr_nested_check(nest, mnl_attr_next(attr));
}

/* The first one of this type inside nest, which may be nullptr. */
static inline const struct nlattr *nft_attr_nested_find(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *attr = nest ? nft_attr_nested_first(nest) : nullptr;

	while (attr && mnl_attr_get_type(attr) != type)
		attr = nft_attr_nested_next(nest, attr);
	return attr;
}
