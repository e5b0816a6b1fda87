/* SPDX-License-Identifier: Apache-2.0 */
#include "net/probe.h"
#include "lib/marks.h"
#include "lib/own.h"
#include "net/sockaddr.h"
#include <errno.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <string.h>

/* What filters expect of a client, without those whose twins (MARK_PROBE_PORT_BIT) are privileged.
 */
constexpr uint32_t FIRST_PORT = 33792;
constexpr uint32_t PORTS = 27208;
static_assert((FIRST_PORT ^ MARK_PROBE_PORT_BIT) == 1024);
constexpr unsigned TRIES = 8;

static int probe_fail(struct err *err, const char *what)
{
	return err_set(err, errno, "probe: %s: %s", what, strerror(errno));
}

static int set_option(int fd, int level, int option, int value, const char *name, struct err *err)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		return probe_fail(err, name);
	return 0;
}

/* An answered connection ends with a RST, and leaves nothing at either end. */
static int open_socket(const struct probe_target *t, int *out, struct err *err)
{
	static const struct linger at_once = {.l_onoff = 1};
	autoclose int fd = socket(
		t->address.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

	if (fd < 0)
		return probe_fail(err, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) < 0)
		return probe_fail(err, "SO_LINGER");
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, t->interface,
		    (socklen_t)strnlen(t->interface, IFNAMSIZ)) < 0)
		return probe_fail(err, t->interface);
	bool v4 = t->address.family == AF_INET;
	int r = set_option(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, 1,
		"IP_RECVERR", err);
	if (r == 0)
		r = set_option(fd, SOL_SOCKET, SO_MARK, (int)MARK_PROBE, "SO_MARK", err);
	if (r == 0)
		*out = fd_take(&fd);
	return r;
}

static int bind_fresh(int fd, const struct addr *source, uint32_t *seed, struct err *err)
{
	union socket_address sa;
	int r = -1;

	for (unsigned i = 0; r < 0 && i < TRIES; i++) {
		uint32_t port = FIRST_PORT + (*seed)++ % PORTS;
		socklen_t len = socket_address_put(
			&sa, source, (uint16_t)(port ^ MARK_PROBE_PORT_BIT));
		r = bind(fd, &sa.any, len);
		if (r < 0 && errno != EADDRINUSE)
			break;
	}
	return r < 0 ? probe_fail(err, "bind") : 0;
}

/* IP_FREEBIND is not enough: the route lookup refuses a source that is not local (ip(7)). */
static int become_mesh(int fd, const struct addr *source, uint32_t *seed, struct err *err)
{
	bool v4 = source->family == AF_INET;
	int r = set_option(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6,
		v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT, 1, "IP_TRANSPARENT", err);

	return r < 0 ? r : bind_fresh(fd, source, seed, err);
}

static int begin(int fd, const struct probe_target *t, struct ct_flow *flow, struct err *err)
{
	union socket_address sa;
	socklen_t len = socket_address_put(&sa, &t->address, t->port);

	if (connect(fd, &sa.any, len) < 0 && errno != EINPROGRESS)
		return probe_fail(err, "connect");
	*flow = (struct ct_flow){.proto = IPPROTO_TCP, .to = t->address, .to_port = t->port};
	len = sizeof(sa);
	if (getsockname(fd, &sa.any, &len) < 0)
		return probe_fail(err, "getsockname");
	flow->from = socket_address_get(&sa, &flow->from_port);
	return 0;
}

int probe_send(
	const struct probe_target *target, uint32_t *seed, struct probe *out, struct err *err)
{
	autoclose int fd = -1;
	struct ct_flow flow;
	bool own = target->source.family == AF_UNSPEC;
	int r = open_socket(target, &fd, err);

	if (r == 0 && !own)
		r = become_mesh(fd, &target->source, seed, err);
	if (r == 0)
		r = begin(fd, target, &flow, err);
	if (r < 0)
		return r;
	if (!own)
		flow.from_port ^= MARK_PROBE_PORT_BIT;
	*out = (struct probe){.fd = own ? fd_take(&fd) : -1, .flow = flow};
	return 0;
}

/* Who sent the ICMP error that ended the connection, as IP_RECVERR tells (ip(7)). */
static bool was_from_here(const struct probe *p)
{
	alignas(struct cmsghdr) char control[512];
	struct msghdr msg = {.msg_control = control, .msg_controllen = sizeof(control)};
	union socket_address sender;

	if (recvmsg(p->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		const uint8_t *offender = CMSG_DATA(c) + sizeof(struct sock_extended_err);
		bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
		if (!v4 && (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_RECVERR))
			continue;
		sender = (union socket_address){};
		memcpy(&sender, offender, v4 ? sizeof(sender.in) : sizeof(sender.in6));
		struct addr who = socket_address_get(&sender, nullptr);
		return !addr_cmp(&who, &p->flow.from);
	}
	return false;
}

/* An ICMP error that came while connect(2) was still at work, as on a path through this kernel
 * alone, is a soft one, of which poll(2) says nothing (net/ipv4/tcp_ipv4.c, tcp_v4_err()). */
int probe_check(const struct probe *p)
{
	struct pollfd poll_fd = {.fd = p->fd, .events = POLLOUT};
	int ready = poll(&poll_fd, 1, 0), error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	if (error == EHOSTUNREACH && was_from_here(p))
		return -EHOSTDOWN;
	if (error)
		return -error;
	return ready > 0 ? 1 : -EINPROGRESS;
}

void probe_close(struct probe *p)
{
	own_close(&p->fd);
	p->fd = -1;
}
