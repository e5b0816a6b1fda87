/* SPDX-License-Identifier: Apache-2.0 */
#include "net/neigh.h"
#include "lib/xmalloc.h"
#include "net/attr.h"
#include "net/nl.h"
#include <assert.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

constexpr size_t NEIGH_ATTRS = NDA_LLADDR + 1;

static const enum mnl_attr_data_type neigh_policy[NEIGH_ATTRS] = {
	[NDA_DST] = MNL_TYPE_BINARY,
	[NDA_LLADDR] = MNL_TYPE_BINARY,
};

const char *neigh_state_str(uint16_t state)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} names[] = {
		{NUD_INCOMPLETE, "incomplete"},
		{NUD_REACHABLE, "reachable"},
		{NUD_STALE, "stale"},
		{NUD_DELAY, "delay"},
		{NUD_PROBE, "probe"},
		{NUD_FAILED, "failed"},
		{NUD_NOARP, "noarp"},
		{NUD_PERMANENT, "permanent"},
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (state & names[i].bit)
			return names[i].name;
	return "none";
}

static void read_lladdr(const struct nlattr *a, char out[NEIGH_LLADDR_LEN])
{
	size_t len = a ? mnl_attr_get_payload_len(a) : 0;
	const uint8_t *bytes = a ? mnl_attr_get_payload(a) : nullptr;

	out[0] = '\0';
	for (size_t i = 0; i < len && 3 * (i + 1) <= NEIGH_LLADDR_LEN; i++)
		snprintf(out + (i ? 3 * i - 1 : 0), 4, i ? ":%02x" : "%02x", bytes[i]);
}

int neigh_read(const struct nlmsghdr *nlh, struct neigh *out)
{
	const struct nlattr *tb[NEIGH_ATTRS];

	if (nlh->nlmsg_type != RTM_NEWNEIGH && nlh->nlmsg_type != RTM_DELNEIGH)
		return -EBADMSG;
	if (attr_parse(nlh, sizeof(struct ndmsg), neigh_policy, tb, NEIGH_ATTRS) < 0)
		return -EBADMSG;
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	if (addr_bits(ndm->ndm_family) == 0 || !tb[NDA_DST])
		return -EBADMSG;

	struct neigh n = {.ifindex = ndm->ndm_ifindex, .state = ndm->ndm_state};
	if (attr_addr(tb[NDA_DST], ndm->ndm_family, &n.address) < 0)
		return -EBADMSG;
	read_lladdr(tb[NDA_LLADDR], n.lladdr);
	*out = n;
	return 0;
}

static int answer_read(const struct nlmsghdr *nlh, void *arg)
{
	int r = neigh_read(nlh, arg);
	errno = -r;
	return r < 0 ? MNL_CB_ERROR : MNL_CB_OK;
}

int neigh_get(struct nl_sock *s, int ifindex, const struct addr *address, struct neigh *out,
	struct err *err)
{
	assert(addr_bits(address->family));
	struct nl_message m;
	struct ndmsg ndm = {.ndm_family = address->family, .ndm_ifindex = ifindex};
	struct nlmsghdr *nlh = nl_begin(&m, RTM_GETNEIGH, 0, &ndm, sizeof(ndm));
	attr_put_addr(nlh, NDA_DST, address);

	int r = nl_query(s, nlh, answer_read, out, err);
	if (r < 0)
		err_ctx(err, "neighbour");
	return r;
}

int neigh_verify(struct nl_sock *s, int ifindex, const struct addr *address, struct err *err)
{
	struct nl_message m;
	struct ndmsg ndm = {
		.ndm_family = address->family, .ndm_ifindex = ifindex, .ndm_state = NUD_PROBE};
	struct neigh now;
	int r = neigh_get(s, ifindex, address, &now, err);

	if (r < 0)
		return r;
	if (!(now.state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY)))
		return err_set(err, ENOENT, "neighbour: %s", neigh_state_str(now.state));
	struct nlmsghdr *nlh = nl_begin(&m, RTM_NEWNEIGH, NLM_F_REPLACE, &ndm, sizeof(ndm));
	attr_put_addr(nlh, NDA_DST, address);
	r = nl_request(s, nlh, err);
	if (r < 0)
		err_ctx(err, "neighbour");
	return r;
}

/* ---- a watch ---- */

constexpr size_t NEIGH_SEEN = 4;
constexpr size_t NEIGH_BUFFER = 8 * 1024;

struct neigh_watch {
	struct mnl_socket *mnl;
	int ifindex;
	struct addr address;
	char seen[NEIGH_SEEN][NEIGH_LLADDR_LEN];
	size_t n_seen;
	alignas(struct nlmsghdr) uint8_t buf[NEIGH_BUFFER];
};

static int watch_join(struct mnl_socket *mnl)
{
	int group = RTNLGRP_NEIGH;
	if (mnl_socket_bind(mnl, 0, MNL_SOCKET_AUTOPID) < 0 ||
		mnl_socket_setsockopt(mnl, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	return 0;
}

int neigh_watch_open(
	int ifindex, const struct addr *address, struct neigh_watch **out, struct err *err)
{
	struct mnl_socket *mnl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!mnl)
		return err_set(err, errno, "netlink socket: %s", strerror(errno));
	int r = watch_join(mnl);
	if (r < 0) {
		mnl_socket_close(mnl);
		return err_set(err, -r, "neighbour notifications: %s", strerror(-r));
	}
	struct neigh_watch *w = xcalloc(1, sizeof(*w));
	w->mnl = mnl;
	w->ifindex = ifindex;
	w->address = *address;
	*out = w;
	return 0;
}

void neigh_watch_close(struct neigh_watch *w)
{
	if (!w)
		return;
	mnl_socket_close(w->mnl);
	free(w);
}

int neigh_watch_fd(const struct neigh_watch *w)
{
	return mnl_socket_get_fd(w->mnl);
}

static void watch_note(struct neigh_watch *w, const struct neigh *n)
{
	if (n->ifindex != w->ifindex || addr_cmp(&n->address, &w->address) != 0 || !n->lladdr[0])
		return;
	for (size_t i = 0; i < w->n_seen; i++)
		if (!strcmp(w->seen[i], n->lladdr))
			return;
	if (w->n_seen < NEIGH_SEEN)
		memcpy(w->seen[w->n_seen++], n->lladdr, NEIGH_LLADDR_LEN);
}

static void watch_datagram(struct neigh_watch *w, size_t len)
{
	struct nl_datagram d = {.at = w->buf, .left = len};
	const struct nlmsghdr *nlh;
	struct neigh n;

	while ((nlh = nl_next(&d)))
		if (nlh->nlmsg_type == RTM_NEWNEIGH && neigh_read(nlh, &n) == 0)
			watch_note(w, &n);
}

int neigh_watch_read(struct neigh_watch *w)
{
	for (;;) {
		ssize_t len = mnl_socket_recvfrom(w->mnl, w->buf, sizeof(w->buf));
		if (len >= 0)
			watch_datagram(w, (size_t)len);
		else if (errno == EAGAIN)
			return 0;
		else if (errno != EINTR && errno != ENOBUFS && errno != ENOSPC)
			return -errno;
	}
}

const char *neigh_watch_lladdr(const struct neigh_watch *w, size_t n)
{
	return n < w->n_seen ? w->seen[n] : "";
}
