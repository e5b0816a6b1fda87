/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oldkernel: makes this kernel refuse nft tables with an owner, as one before 5.12 does.
 *
 * An owned table cannot be flushed by anybody else, so how fast a flushed one is repaired can only
 * be seen where it has no owner. Loaded into meshgwd by LD_PRELOAD, this sets a flag that no
 * kernel knows in every request for an owned table, and nf_tables_newtable() answers EOPNOTSUPP
 * itself (net/netfilter/nf_tables_api.c). What meshgwd does then is its own code for such kernels.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

constexpr uint16_t type_newtable = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE;
constexpr uint32_t flag_unknown = 1U << 30;

typedef ssize_t (*sendto_fn)(int fd, const void *buf, size_t len, int flags,
	const struct sockaddr *to, socklen_t to_len);

static void table_spoil(struct nlmsghdr *nlh)
{
	struct nlattr *attr = mnl_nlmsg_get_payload_offset(nlh, sizeof(struct nfgenmsg));
	char *end = mnl_nlmsg_get_payload_tail(nlh);
	for (; mnl_attr_ok(attr, (int)(end - (char *)attr)); attr = mnl_attr_next(attr)) {
		uint32_t value;
		if (mnl_attr_get_type(attr) != NFTA_TABLE_FLAGS)
			continue;
		memcpy(&value, mnl_attr_get_payload(attr), sizeof(value));
		if (ntohl(value) & NFT_TABLE_F_OWNER)
			value |= htonl(flag_unknown);
		memcpy(mnl_attr_get_payload(attr), &value, sizeof(value));
	}
}

static bool is_netfilter(int fd)
{
	int protocol = -1, domain = -1;
	socklen_t len = sizeof(int);
	(void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	(void)getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	return domain == AF_NETLINK && protocol == NETLINK_NETFILTER;
}

[[gnu::visibility("default")]] ssize_t sendto(
	int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
	sendto_fn next = (sendto_fn)dlsym(RTLD_NEXT, "sendto");
	if (!is_netfilter(fd))
		return next(fd, buf, len, flags, to, to_len);

	void *copy = malloc(len);
	if (!copy)
		abort();
	memcpy(copy, buf, len);
	int left = (int)len;
	for (struct nlmsghdr *nlh = copy; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		if (nlh->nlmsg_type == type_newtable)
			table_spoil(nlh);
	ssize_t sent = next(fd, copy, len, flags, to, to_len);
	free(copy);
	return sent;
}
