/* SPDX-License-Identifier: Apache-2.0 */
#include "net/attr.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static int attr_store(const struct nlattr *a, const enum mnl_attr_data_type *policy,
	const struct nlattr **tb, size_t n)
{
	uint16_t type = mnl_attr_get_type(a);
	if (type >= n || policy[type] == MNL_TYPE_UNSPEC)
		return 0;
	if (mnl_attr_validate(a, policy[type]) < 0)
		return -EBADMSG;
	tb[type] = a;
	return 0;
}

static int attr_parse_bytes(const void *bytes, size_t len, const enum mnl_attr_data_type *policy,
	const struct nlattr **tb, size_t n)
{
	memset(tb, 0, n * sizeof(*tb));

	const struct nlattr *a = bytes;
	int left = (int)len;
	while (mnl_attr_ok(a, left)) {
		if (attr_store(a, policy, tb, n) < 0)
			return -EBADMSG;
		left -= MNL_ALIGN(a->nla_len);
		a = mnl_attr_next(a);
	}
	return 0;
}

int attr_parse(const struct nlmsghdr *nlh, size_t header, const enum mnl_attr_data_type *policy,
	const struct nlattr **tb, size_t n)
{
	/* Not mnl_attr_for_each(): its end is rounded up, behind the last byte of the message. */
	size_t start = NLMSG_ALIGN(header);
	if (nlh->nlmsg_len < mnl_nlmsg_size(header))
		return -EBADMSG;
	size_t len = mnl_nlmsg_get_payload_len(nlh);
	return attr_parse_bytes(mnl_nlmsg_get_payload_offset(nlh, start),
		len > start ? len - start : 0, policy, tb, n);
}

int attr_parse_nested(const struct nlattr *nest, const enum mnl_attr_data_type *policy,
	const struct nlattr **tb, size_t n)
{
	return attr_parse_bytes(
		mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), policy, tb, n);
}

uint8_t attr_family(const struct nlmsghdr *nlh)
{
	const uint8_t *header = mnl_nlmsg_get_payload(nlh);
	return nlh->nlmsg_len > mnl_nlmsg_size(0) ? header[0] : AF_UNSPEC;
}

uint8_t attr_u8(const struct nlattr *a, uint8_t absent)
{
	return a ? mnl_attr_get_u8(a) : absent;
}

uint16_t attr_u16(const struct nlattr *a, uint16_t absent)
{
	return a ? mnl_attr_get_u16(a) : absent;
}

uint32_t attr_u32(const struct nlattr *a, uint32_t absent)
{
	return a ? mnl_attr_get_u32(a) : absent;
}

uint32_t attr_be32(const struct nlattr *a, uint32_t absent)
{
	return a ? ntohl(mnl_attr_get_u32(a)) : absent;
}

int attr_int(const struct nlattr *a, int absent)
{
	return a ? (int)mnl_attr_get_u32(a) : absent;
}

int attr_addr(const struct nlattr *a, uint8_t family, struct addr *out)
{
	*out = (struct addr){.family = AF_UNSPEC};
	if (!a)
		return 0;
	if (mnl_attr_get_payload_len(a) != addr_bytes(family))
		return -EBADMSG;
	out->family = family;
	memcpy(out->b, mnl_attr_get_payload(a), addr_bytes(family));
	return 0;
}

int attr_ifname(const struct nlattr *a, char out[IFNAMSIZ])
{
	memset(out, 0, IFNAMSIZ);
	if (!a)
		return 0;
	size_t len = mnl_attr_get_payload_len(a);
	const char *name = mnl_attr_get_payload(a);
	if (len > IFNAMSIZ || !memchr(name, '\0', len))
		return -EBADMSG;
	memcpy(out, name, strlen(name) + 1);
	return 0;
}

void attr_put_addr(struct nlmsghdr *nlh, uint16_t type, const struct addr *a)
{
	mnl_attr_put(nlh, type, addr_bytes(a->family), a->b);
}
