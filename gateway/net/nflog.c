/* SPDX-License-Identifier: Apache-2.0 */
#include "net/nflog.h"
#include "lib/xmalloc.h"
#include "net/attr.h"
#include "net/nl.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

constexpr size_t NFLOG_ATTRS = NFULA_PAYLOAD + 1;
/* An IPv6 header; a packet is asked about no more than its addresses. */
constexpr uint32_t NFLOG_COPY = sizeof(struct ip6_hdr);
constexpr size_t NFLOG_BUFFER = 16 * 1024;

struct nflog {
	struct nl_sock *nl;
	bool behind; /* since a loss not all has been read that was there */
	alignas(struct nlmsghdr) uint8_t buf[NFLOG_BUFFER];
};

static const enum mnl_attr_data_type nflog_policy[NFLOG_ATTRS] = {
	[NFULA_PACKET_HDR] = MNL_TYPE_BINARY,
	[NFULA_PAYLOAD] = MNL_TYPE_BINARY,
};

/* An address inside a packet. */
static int nflog_addr(const struct nlattr *payload, uint8_t family, size_t offset, struct addr *out)
{
	size_t size = addr_bytes(family);

	if (mnl_attr_get_payload_len(payload) < offset + size)
		return -EBADMSG;
	*out = (struct addr){.family = family};
	memcpy(out->b, (const uint8_t *)mnl_attr_get_payload(payload) + offset, size);
	return 0;
}

static int nflog_neighbor(const struct nlattr *payload, bool received, struct addr *out)
{
	const uint8_t *p = mnl_attr_get_payload(payload);

	if (mnl_attr_get_payload_len(payload) == 0)
		return -EBADMSG;
	if (p[0] >> 4 == 4)
		return nflog_addr(payload, AF_INET,
			received ? offsetof(struct iphdr, saddr) : offsetof(struct iphdr, daddr),
			out);
	if (p[0] >> 4 == 6)
		return nflog_addr(payload, AF_INET6,
			received ? offsetof(struct ip6_hdr, ip6_src)
				 : offsetof(struct ip6_hdr, ip6_dst),
			out);
	return -EBADMSG;
}

int nflog_parse(const struct nlmsghdr *nlh, struct addr *neighbor)
{
	const struct nlattr *tb[NFLOG_ATTRS];
	struct nfulnl_msg_packet_hdr header;

	if (nlh->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
		return -EBADMSG;
	if (attr_parse(nlh, sizeof(struct nfgenmsg), nflog_policy, tb, NFLOG_ATTRS) < 0)
		return -EBADMSG;
	if (!tb[NFULA_PAYLOAD] || !tb[NFULA_PACKET_HDR] ||
		mnl_attr_get_payload_len(tb[NFULA_PACKET_HDR]) < sizeof(header))
		return -EBADMSG;
	memcpy(&header, mnl_attr_get_payload(tb[NFULA_PACKET_HDR]), sizeof(header));
	return nflog_neighbor(tb[NFULA_PAYLOAD], header.hook == NF_INET_LOCAL_IN, neighbor);
}

/* Bind, copy what is needed, and send each packet at once: by itself the kernel gathers a hundred,
 * or a second's (nfnetlink_log.c, NFULNL_QTHRESH_DEFAULT). */
static int nflog_bind(struct nl_sock *s, uint16_t group, struct err *err)
{
	struct nfgenmsg nfg = {.version = NFNETLINK_V0, .res_id = htons(group)};
	struct nfulnl_msg_config_cmd bind = {.command = NFULNL_CFG_CMD_BIND};
	struct nfulnl_msg_config_mode mode = {
		.copy_range = htonl(NFLOG_COPY), .copy_mode = NFULNL_COPY_PACKET};
	struct nl_message m;
	struct nlmsghdr *nlh = nl_begin(
		&m, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG, 0, &nfg, sizeof(nfg));

	mnl_attr_put(nlh, NFULA_CFG_CMD, sizeof(bind), &bind);
	mnl_attr_put(nlh, NFULA_CFG_MODE, sizeof(mode), &mode);
	mnl_attr_put_u32(nlh, NFULA_CFG_QTHRESH, htonl(1));
	int r = nl_request(s, nlh, err);
	/* A kernel without the subsystem (net/netfilter/nfnetlink.c, nfnetlink_rcv_msg). */
	if (r == -EINVAL)
		return err_set(err, EOPNOTSUPP, "the kernel lacks nfnetlink_log");
	return r;
}

int nflog_open(uint16_t group, struct nflog **out, struct err *err)
{
	struct nl_sock *s = nullptr;
	int r = nl_open(NETLINK_NETFILTER, &s, err);

	if (r == 0)
		r = nflog_bind(s, group, err);
	if (r < 0) {
		nl_close(s);
		(void)err_ctx(err, "packet log, group %u", group);
		return r;
	}
	struct nflog *n = xcalloc(1, sizeof(*n));
	n->nl = s;
	*out = n;
	return 0;
}

void nflog_close(struct nflog *n)
{
	if (!n)
		return;
	nl_close(n->nl);
	free(n);
}

int nflog_fd(const struct nflog *n)
{
	return mnl_socket_get_fd(nl_mnl(n->nl));
}

static void nflog_deliver(const struct nflog *n, size_t len, nflog_cb cb, void *arg)
{
	struct nl_datagram d = {.at = n->buf, .left = len};
	const struct nlmsghdr *nlh;
	struct addr neighbor;

	while ((nlh = nl_next(&d))) {
		if (nflog_parse(nlh, &neighbor) == 0)
			cb(&neighbor, arg);
	}
}

int nflog_read(struct nflog *n, unsigned budget, nflog_cb cb, void *arg)
{
	static const struct addr any;
	bool was_behind = n->behind;
	unsigned done = 0;

	for (; done < budget; done++) {
		ssize_t len = recv(nflog_fd(n), n->buf, sizeof(n->buf), MSG_DONTWAIT);
		if (len >= 0) {
			nflog_deliver(n, (size_t)len, cb, arg);
		} else if (errno == EAGAIN) {
			break;
		} else if (errno == ENOBUFS) {
			n->behind = true;
			cb(&any, arg);
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	if (n->behind && nl_is_empty(nl_mnl(n->nl))) {
		n->behind = false;
		if (was_behind)
			cb(&any, arg);
	}
	return (int)done;
}
