/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * attr: walking over the attributes of an nfnetlink message, bounds checked. libmnl's own macros
 * narrow a pointer difference in silence, and our warnings do not.
 */
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>

static inline bool nft_attr_ok(const struct nlattr *attr, const void *end)
{
	return mnl_attr_ok(attr, (int)((const char *)end - (const char *)attr));
}

/* skip: bytes of fixed header before the first attribute, present in the message. */
#define nft_attr_for_each(attr, nlh, skip)                            \
	for ((attr) = mnl_nlmsg_get_payload_offset((nlh), (skip));    \
		nft_attr_ok((attr), mnl_nlmsg_get_payload_tail(nlh)); \
		(attr) = mnl_attr_next(attr))

#define nft_attr_for_each_nested(attr, nest)                                                     \
	for ((attr) = mnl_attr_get_payload(nest); nft_attr_ok((attr),                            \
		     (const char *)mnl_attr_get_payload(nest) + mnl_attr_get_payload_len(nest)); \
		(attr) = mnl_attr_next(attr))
