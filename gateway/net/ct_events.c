/* SPDX-License-Identifier: Apache-2.0 */
#include "net/ct_events.h"
#include "lib/xmalloc.h"
#include "net/nl.h"
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_compat.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

constexpr size_t CT_EVENTS_BUFFER = 8 * 1024; /* one event has some 200 bytes */
/* Some 2,000 events as the kernel counts them, with their overhead. */
constexpr int CT_EVENTS_RCVBUF = 2 * 1024 * 1024;

struct ct_events {
	struct mnl_socket *mnl;
	uint64_t overruns;
	alignas(struct nlmsghdr) uint8_t buf[CT_EVENTS_BUFFER];
};

/* Of entries that are assured: not that they are gone, nor TCP states behind ESTABLISHED. Numbers
 * in headers of netlink are in the order of the host, which the filter reads as if it were the
 * network's. What has not these attributes passes. */
static int attach_filter(int fd)
{
	constexpr uint32_t find = (uint32_t)SKF_AD_OFF + SKF_AD_NLATTR;
	constexpr uint32_t find_inside = (uint32_t)SKF_AD_OFF + SKF_AD_NLATTR_NEST;
	constexpr uint32_t attributes = sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg);
	constexpr uint32_t header = sizeof(struct nlattr);
	const uint32_t destroy = htons(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE);
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_IMM, attributes),
		BPF_STMT(BPF_LDX | BPF_IMM, CTA_STATUS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, find),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 18, 0),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, header),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, IPS_ASSURED, 0, 15),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, destroy, 14, 0),
		BPF_STMT(BPF_LD | BPF_IMM, attributes),
		BPF_STMT(BPF_LDX | BPF_IMM, CTA_PROTOINFO),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, find),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 9, 0),
		BPF_STMT(BPF_LDX | BPF_IMM, CTA_PROTOINFO_TCP),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, find_inside),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 6, 0),
		BPF_STMT(BPF_LDX | BPF_IMM, CTA_PROTOINFO_TCP_STATE),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, find_inside),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, header),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, TCP_CONNTRACK_ESTABLISHED, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = {sizeof(program) / sizeof(program[0]), program};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0 ? -errno : 0;
}

static int join(struct mnl_socket *mnl)
{
	static const int groups[] = {
		NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_UPDATE, NFNLGRP_CONNTRACK_DESTROY};

	if (mnl_socket_bind(mnl, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		int group = groups[i];
		if (mnl_socket_setsockopt(mnl, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
			return -errno;
	}
	return 0;
}

int ct_events_open(int rcvbuf, struct ct_events **out, struct err *err)
{
	struct mnl_socket *mnl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!mnl)
		return err_set(err, errno, "netlink socket: %s", strerror(errno));
	int bytes = rcvbuf ? rcvbuf : CT_EVENTS_RCVBUF, fd = mnl_socket_get_fd(mnl);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	int r = attach_filter(fd);
	if (r >= 0)
		r = join(mnl);
	if (r < 0) {
		mnl_socket_close(mnl);
		return err_set(err, -r, "connection tracking events: %s", strerror(-r));
	}
	struct ct_events *c = xcalloc(1, sizeof(*c));
	c->mnl = mnl;
	*out = c;
	return 0;
}

void ct_events_close(struct ct_events *c)
{
	if (!c)
		return;
	mnl_socket_close(c->mnl);
	free(c);
}

int ct_events_fd(const struct ct_events *c)
{
	return mnl_socket_get_fd(c->mnl);
}

uint64_t ct_events_overruns(const struct ct_events *c)
{
	return c->overruns;
}

/* ctnetlink_conntrack_event(): a new entry is what has NLM_F_CREATE; who asked for an entry's end
 * is told as the message's port. */
int ct_events_parse(const struct nlmsghdr *nlh, enum ct_event *what, struct ct_entry *out)
{
	bool gone = NFNL_MSG_TYPE(nlh->nlmsg_type) == IPCTNL_MSG_CT_DELETE;

	if (!gone && NFNL_MSG_TYPE(nlh->nlmsg_type) != IPCTNL_MSG_CT_NEW)
		return -EBADMSG;
	if (gone)
		*what = nlh->nlmsg_pid ? CT_DELETED : CT_DESTROY;
	else
		*what = nlh->nlmsg_flags & NLM_F_CREATE ? CT_NEW : CT_UPDATE;
	return ct_read(nlh, out);
}

static void deliver(struct ct_events *c, size_t len, ct_events_cb cb, void *arg)
{
	struct nl_datagram d = {.at = c->buf, .left = len};
	const struct nlmsghdr *nlh;
	struct ct_entry e;
	enum ct_event what;

	while ((nlh = nl_next(&d)))
		if (nlh->nlmsg_type >= NLMSG_MIN_TYPE && ct_events_parse(nlh, &what, &e) == 0)
			cb(what, &e, arg);
}

int ct_events_read(struct ct_events *c, unsigned budget, ct_events_cb cb, void *arg)
{
	for (unsigned i = 0; i < budget; i++) {
		ssize_t len = mnl_socket_recvfrom(c->mnl, c->buf, sizeof(c->buf));
		if (len >= 0)
			deliver(c, (size_t)len, cb, arg);
		else if (errno == EAGAIN)
			return (int)i;
		else if (errno == ENOBUFS || errno == ENOSPC)
			c->overruns++;
		else if (errno != EINTR)
			return -errno;
	}
	return (int)budget;
}
