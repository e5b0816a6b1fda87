/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * find: an attribute of a netlink message by its type, nullptr when it is not there. Messages are
 * the kernel's own; their attributes' sizes are trusted.
 */
#include <libmnl/libmnl.h>

/* header: bytes of the fixed header in front of the attributes. */
static inline const struct nlattr *find_attr(const struct nlmsghdr *nlh, size_t header, int type)
{
	const struct nlattr *a = mnl_nlmsg_get_payload_offset(nlh, header);
	const char *end = mnl_nlmsg_get_payload_tail(nlh);
	for (; mnl_attr_ok(a, (int)(end - (const char *)a)); a = mnl_attr_next(a))
		if (mnl_attr_get_type(a) == type)
			return a;
	return nullptr;
}

static inline uint32_t find_u32(
	const struct nlmsghdr *nlh, size_t header, int type, uint32_t absent)
{
	const struct nlattr *a = find_attr(nlh, header, type);
	return a ? mnl_attr_get_u32(a) : absent;
}
