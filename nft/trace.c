/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/trace.h"
#include "lib/xmalloc.h"
#include "net/nl.h"
#include "nft/attr.h"
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

constexpr size_t BUFFER = 16 * 1024;
constexpr int RECEIVE_BUFFER = 1024 * 1024;

struct nft_trace {
	struct nl_sock *nl;
	alignas(struct nlmsghdr) uint8_t buf[BUFFER];
};

/* ---- one message ---- */

/* Numbers are in network order. */
static bool read_u32(const struct nlattr *a, uint32_t *out)
{
	if (!a || mnl_attr_validate(a, MNL_TYPE_U32) < 0)
		return false;
	*out = ntohl(mnl_attr_get_u32(a));
	return true;
}

static void read_ifindex(const struct nlattr *a, int *out)
{
	uint32_t n;

	if (read_u32(a, &n) && n <= INT32_MAX)
		*out = (int)n;
}

static bool read_name(const struct nlattr *a, char out[static NFT_STEP_NAME_LEN])
{
	if (!a || mnl_attr_validate(a, MNL_TYPE_NUL_STRING) < 0)
		return false;
	size_t len = strnlen(mnl_attr_get_str(a), NFT_STEP_NAME_LEN - 1);
	memcpy(out, mnl_attr_get_str(a), len);
	out[len] = '\0';
	return true;
}

static uint16_t number_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void read_icmp(const uint8_t *th, size_t len, struct nft_step_packet *p)
{
	bool six = p->proto == IPPROTO_ICMPV6;

	p->icmp_type = th[0];
	p->icmp_code = th[1];
	bool echo = six ? th[0] == ICMP6_ECHO_REQUEST || th[0] == ICMP6_ECHO_REPLY
			: th[0] == ICMP_ECHO || th[0] == ICMP_ECHOREPLY;
	if (echo && len >= sizeof(struct icmphdr))
		p->sport = p->dport = number_at(th + offsetof(struct icmphdr, un.echo.id));
}

static void read_transport(const struct nlattr *a, struct nft_step_packet *p)
{
	const uint8_t *th = mnl_attr_get_payload(a);
	size_t len = mnl_attr_get_payload_len(a);

	if (len < 4)
		return;
	if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6) {
		read_icmp(th, len, p);
	} else if (p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP) {
		p->sport = number_at(th);
		p->dport = number_at(th + 2);
		if (p->proto == IPPROTO_TCP && len > offsetof(struct tcphdr, th_flags))
			p->tcp_flags = th[offsetof(struct tcphdr, th_flags)];
	}
}

/* Where RFC 791 and RFC 8200 put things. */
static const struct layout {
	uint8_t version, family, from, to, proto, header;
} layouts[] = {
	{4, AF_INET, 12, 16, offsetof(struct iphdr, protocol), sizeof(struct iphdr)},
	{6, AF_INET6, 8, 24, offsetof(struct ip6_hdr, ip6_nxt), sizeof(struct ip6_hdr)},
};

static void read_packet(
	const struct nlattr *network, const struct nlattr *transport, struct nft_step_packet *p)
{
	const uint8_t *nh = mnl_attr_get_payload(network);
	size_t len = mnl_attr_get_payload_len(network);

	for (const struct layout *l = layouts; l < layouts + 2; l++) {
		if (len < l->header || nh[0] >> 4 != l->version)
			continue;
		p->from.family = p->to.family = l->family;
		memcpy(p->from.b, nh + l->from, addr_bytes(l->family));
		memcpy(p->to.b, nh + l->to, addr_bytes(l->family));
		p->proto = nh[l->proto];
		if (transport)
			read_transport(transport, p);
		return;
	}
}

static const struct {
	uint32_t kernel;
	enum nft_step_type type;
} step_types[] = {
	{NFT_TRACETYPE_RULE, NFT_STEP_RULE},
	{NFT_TRACETYPE_RETURN, NFT_STEP_RETURN},
	{NFT_TRACETYPE_POLICY, NFT_STEP_POLICY},
};

static bool read_type(const struct nlattr *a, enum nft_step_type *out)
{
	uint32_t type;

	if (!read_u32(a, &type))
		return false;
	for (size_t i = 0; i < sizeof(step_types) / sizeof(step_types[0]); i++) {
		if (step_types[i].kernel != type)
			continue;
		*out = step_types[i].type;
		return true;
	}
	return false;
}

static bool read_verdict(const struct nlattr *tb[], enum nft_step_type type, int *out)
{
	const struct nlattr *code = type == NFT_STEP_POLICY
					    ? tb[NFTA_TRACE_POLICY]
					    : nft_attr_nested_find(
						      tb[NFTA_TRACE_VERDICT], NFTA_VERDICT_CODE);
	uint32_t verdict;

	if (!read_u32(code, &verdict))
		return false;
	*out = (int)verdict;
	return true;
}

static void sort_attributes(const struct nlmsghdr *nlh, const struct nlattr *tb[])
{
	const struct nlattr *a = nft_attr_first(nlh, NFT_HEADER);

	for (; a; a = nft_attr_next(nlh, a))
		if (mnl_attr_get_type(a) <= NFTA_TRACE_MAX)
			tb[mnl_attr_get_type(a)] = a;
}

int nft_step_read(const struct nlmsghdr *nlh, struct nft_step *out)
{
	const struct nlattr *tb[NFTA_TRACE_MAX + 1] = {};
	struct nft_step s = {};

	if (nlh->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE) ||
		mnl_nlmsg_get_payload_len(nlh) < NFT_HEADER)
		return -EBADMSG;
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	sort_attributes(nlh, tb);
	if (!read_u32(tb[NFTA_TRACE_ID], &s.id) || !read_name(tb[NFTA_TRACE_TABLE], s.table) ||
		!read_name(tb[NFTA_TRACE_CHAIN], s.chain) ||
		!read_type(tb[NFTA_TRACE_TYPE], &s.type) || !read_verdict(tb, s.type, &s.verdict))
		return -EBADMSG;
	s.family = nfg->nfgen_family;
	const struct nlattr *handle = tb[NFTA_TRACE_RULE_HANDLE];
	if (handle && mnl_attr_validate(handle, MNL_TYPE_U64) >= 0)
		s.handle = be64toh(mnl_attr_get_u64(handle));
	read_ifindex(tb[NFTA_TRACE_IIF], &s.iif);
	read_ifindex(tb[NFTA_TRACE_OIF], &s.oif);
	s.enters = tb[NFTA_TRACE_NETWORK_HEADER];
	if (s.enters)
		read_packet(
			tb[NFTA_TRACE_NETWORK_HEADER], tb[NFTA_TRACE_TRANSPORT_HEADER], &s.packet);
	*out = s;
	return 0;
}

/* ---- the socket ---- */

static int subscribe(struct nl_sock *s, struct err *err)
{
	int group = NFNLGRP_NFTRACE, fd = mnl_socket_get_fd(nl_mnl(s)), size = RECEIVE_BUFFER;

	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return err_set(err, errno, "%s", strerror(errno));
	/* What a busy host traces is bounded by diag.h; without the right it stays as it is. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return 0;
}

int nft_trace_open(struct nft_trace **out, struct err *err)
{
	struct nl_sock *s = nullptr;
	int r = nl_open(NETLINK_NETFILTER, &s, err);

	if (r == 0)
		r = subscribe(s, err);
	if (r < 0) {
		nl_close(s);
		(void)err_ctx(err, "nft trace");
		return r;
	}
	struct nft_trace *t = xcalloc(1, sizeof(*t));
	t->nl = s;
	*out = t;
	return 0;
}

void nft_trace_close(struct nft_trace *t)
{
	if (!t)
		return;
	nl_close(t->nl);
	free(t);
}

int nft_trace_fd(const struct nft_trace *t)
{
	return mnl_socket_get_fd(nl_mnl(t->nl));
}

static void deliver(const struct nft_trace *t, size_t len, nft_trace_cb cb, void *arg)
{
	struct nl_datagram d = {.at = t->buf, .left = len};
	const struct nlmsghdr *nlh;
	struct nft_step step;

	while ((nlh = nl_next(&d)))
		if (nft_step_read(nlh, &step) == 0)
			cb(&step, arg);
}

int nft_trace_read(struct nft_trace *t, unsigned budget, nft_trace_cb cb, void *arg)
{
	for (unsigned i = 0; i < budget; i++) {
		ssize_t len = recv(nft_trace_fd(t), t->buf, sizeof(t->buf), MSG_DONTWAIT);
		if (len >= 0)
			deliver(t, (size_t)len, cb, arg);
		else if (errno == EAGAIN)
			return (int)i;
		else if (errno == ENOBUFS)
			cb(nullptr, arg);
		else if (errno != EINTR)
			return -errno;
	}
	return (int)budget;
}
