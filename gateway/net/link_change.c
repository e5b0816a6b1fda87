/* SPDX-License-Identifier: Apache-2.0 */
#include "net/link_change.h"
#include "lib/marks.h"
#include "net/nl.h"
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

int link_bring_up(struct nl_sock *s, int ifindex, uint32_t mtu, struct err *err)
{
	const struct ifinfomsg ifi = {
		.ifi_index = ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	struct nl_message m;
	struct nlmsghdr *nlh = nl_begin(&m, RTM_NEWLINK, 0, &ifi, sizeof(ifi));

	mnl_attr_put_strz(nlh, IFLA_IFALIAS, MARK_LINK_ALIAS);
	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	return nl_request(s, nlh, err);
}

int link_remove(struct nl_sock *s, int ifindex, struct err *err)
{
	const struct ifinfomsg ifi = {.ifi_index = ifindex};
	struct nl_message m;

	return nl_request(s, nl_begin(&m, RTM_DELLINK, 0, &ifi, sizeof(ifi)), err);
}

static int change_address(struct nl_sock *s, uint16_t type, uint16_t flags, int ifindex,
	const struct addr *address, struct err *err)
{
	const struct ifaddrmsg ifa = {
		.ifa_family = address->family,
		.ifa_prefixlen = (uint8_t)addr_bits(address->family),
		.ifa_flags = address->family == AF_INET6 ? IFA_F_NODAD : 0,
		.ifa_index = (uint32_t)ifindex,
	};
	struct nl_message m;
	struct nlmsghdr *nlh = nl_begin(&m, type, flags, &ifa, sizeof(ifa));
	size_t len = addr_bits(address->family) / 8;

	mnl_attr_put(nlh, IFA_LOCAL, len, address->b);
	mnl_attr_put(nlh, IFA_ADDRESS, len, address->b);
	return nl_request(s, nlh, err);
}

int ifaddr_add(struct nl_sock *s, int ifindex, const struct addr *address, struct err *err)
{
	return change_address(s, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, address, err);
}

int ifaddr_remove(struct nl_sock *s, int ifindex, const struct addr *address, struct err *err)
{
	return change_address(s, RTM_DELADDR, 0, ifindex, address, err);
}
