/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sockdiag.h"
#include "lib/xmalloc.h"
#include "net/attr.h"
#include "net/nl.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

constexpr size_t SOCKDIAG_ATTRS = INET_DIAG_SKV6ONLY + 1;

static const enum mnl_attr_data_type sockdiag_policy[SOCKDIAG_ATTRS] = {
	[INET_DIAG_SKV6ONLY] = MNL_TYPE_U8,
};

int listener_read(const struct nlmsghdr *nlh, struct listener *out)
{
	const struct nlattr *tb[SOCKDIAG_ATTRS];
	struct inet_diag_msg msg;

	if (nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return -EBADMSG;
	if (attr_parse(nlh, sizeof(msg), sockdiag_policy, tb, SOCKDIAG_ATTRS) < 0)
		return -EBADMSG;
	memcpy(&msg, mnl_nlmsg_get_payload(nlh), sizeof(msg));
	if (addr_bits(msg.idiag_family) == 0)
		return -EBADMSG;

	*out = (struct listener){
		.address.family = msg.idiag_family,
		.port = ntohs(msg.id.idiag_sport),
		.v6_only = attr_u8(tb[INET_DIAG_SKV6ONLY], 0),
		.queue = msg.idiag_rqueue,
		.backlog = msg.idiag_wqueue,
	};
	memcpy(out->address.b, msg.id.idiag_src, addr_bytes(msg.idiag_family));
	return 0;
}

static int dump_read(const struct nlmsghdr *nlh, void *element, void *arg)
{
	const uint16_t *port = arg;
	struct listener *l = element;
	int r = listener_read(nlh, l);
	return r < 0 ? r : l->port != *port;
}

static int dump_family(struct nl_sock *s, uint8_t family, uint8_t proto, uint16_t port,
	struct nl_list *out, struct err *err)
{
	struct nl_message m;
	/* An unconnected UDP socket is in state CLOSE (net/ipv4/udp_diag.c). */
	struct inet_diag_req_v2 req = {
		.sdiag_family = family,
		.sdiag_protocol = proto,
		.idiag_states = 1U << (proto == IPPROTO_TCP ? TCP_LISTEN : TCP_CLOSE),
	};
	struct nlmsghdr *nlh = nl_begin(&m, SOCK_DIAG_BY_FAMILY, 0, &req, sizeof(req));
	return nl_dump_list(s, nlh, sizeof(struct listener), dump_read, &port, out, err);
}

int sockdiag_listeners(
	struct nl_sock *s, uint8_t proto, uint16_t port, struct listener_set *out, struct err *err)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct listener_set found = {};

	for (size_t i = 0; i < sizeof(families); i++) {
		struct nl_list part = {};
		int r = dump_family(s, families[i], proto, port, &part, err);
		if (r < 0) {
			listener_set_clear(&found);
			err_ctx(err, "sockets");
			return r;
		}
		found.list = xreallocarray(found.list, found.n + part.n + 1, sizeof(*found.list));
		if (part.n)
			memcpy(&found.list[found.n], part.list, part.n * sizeof(*found.list));
		found.n += part.n;
		free(part.list);
	}
	listener_set_clear(out);
	*out = found;
	return 0;
}

void listener_set_clear(struct listener_set *set)
{
	free(set->list);
	*set = (struct listener_set){};
}

static bool is_any(const struct addr *a)
{
	struct addr any = {.family = a->family};
	return addr_cmp(a, &any) == 0;
}

bool listener_takes(const struct listener *l, const struct addr *to)
{
	if (l->address.family == to->family)
		return is_any(&l->address) || addr_cmp(&l->address, to) == 0;
	return l->address.family == AF_INET6 && is_any(&l->address) && !l->v6_only;
}

bool listener_is_loopback(const struct listener *l)
{
	static const struct addr loopback6 = {AF_INET6, {[15] = 1}};
	if (l->address.family == AF_INET)
		return l->address.b[0] == 127;
	return addr_cmp(&l->address, &loopback6) == 0;
}
