/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/own_probe.h"
#include "lib/marks.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "net/sockaddr.h"
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

constexpr uint64_t AGAIN_US = 400'000;
constexpr size_t ATTEMPTS = 2;

struct own_probe {
	struct own_target target;
	int fds[ATTEMPTS];
	uint64_t sent_us[ATTEMPTS];
	size_t sent;
	bool over, unasked;
	struct fact_probe fact;
};

static bool is_icmp(const struct own_probe *p)
{
	return p->target.proto == IPPROTO_ICMP || p->target.proto == IPPROTO_ICMPV6;
}

/* -ENOTSUP: not for this user (net.ipv4.ping_group_range). */
static int open_socket(const struct own_probe *p)
{
	static const struct linger at_once = {.l_onoff = 1};
	const struct own_target *t = &p->target;
	bool v4 = t->address.family == AF_INET, tcp = t->proto == IPPROTO_TCP;
	int on = 1, mark = (int)MARK_PROBE;
	autoclose int fd = socket(t->address.family,
		(tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, t->proto);

	if (fd < 0)
		return -ENOTSUP;
	/* An answered connection ends with a RST, and leaves nothing at either end. */
	if (tcp && setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) < 0)
		return -errno;
	if (setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, &on,
		    sizeof(on)) < 0)
		return -errno;
	if (t->interface[0] && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, t->interface,
				       (socklen_t)strnlen(t->interface, IFNAMSIZ)) < 0)
		return -errno;
	int hops = t->hops;
	if (hops && setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TTL : IPV6_UNICAST_HOPS,
			    &hops, sizeof(hops)) < 0)
		return -errno;
	/* No flow of the mesh, and no witness (lib/marks.h). */
	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0 && errno != EPERM)
		return -errno;
	return fd_take(&fd);
}

static int say(const struct own_probe *p, int fd)
{
	static const char datagram[] = "meshgw probe\n";
	struct icmphdr echo4 = {.type = ICMP_ECHO};
	struct icmp6_hdr echo6 = {.icmp6_type = ICMP6_ECHO_REQUEST};
	const void *data = datagram;
	size_t len = sizeof(datagram) - 1;

	if (p->target.proto == IPPROTO_TCP)
		return 0;
	if (is_icmp(p)) {
		data = p->target.address.family == AF_INET ? (const void *)&echo4 : &echo6;
		len = 8;
	}
	return send(fd, data, len, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int attempt(struct own_probe *p, int *out)
{
	union socket_address sa;
	autoclose int fd = open_socket(p);

	if (fd < 0)
		return fd;
	socklen_t len = socket_address_put(&sa, &p->target.address, p->target.port);
	if (connect(fd, &sa.any, len) < 0 && errno != EINPROGRESS)
		return -errno;
	len = sizeof(sa);
	if (getsockname(fd, &sa.any, &len) == 0)
		p->fact.source = socket_address_get(&sa, nullptr);
	int r = say(p, fd);
	if (r == 0)
		*out = fd_take(&fd);
	return r;
}

static void close_sockets(struct own_probe *p)
{
	for (size_t i = 0; i < ATTEMPTS; i++) {
		own_close(&p->fds[i]);
		p->fds[i] = -1;
	}
}

/* At once: a service that serves one after the other would wait for what this connection says. */
static void end(struct own_probe *p, enum fact_outcome outcome, int error)
{
	close_sockets(p);
	p->fact.outcome = outcome;
	p->fact.error = error;
	p->over = true;
}

static void ask(struct own_probe *p, uint64_t now_us)
{
	int r = attempt(p, &p->fds[p->sent]);

	p->sent_us[p->sent] = now_us;
	p->sent++;
	p->fact.sent++;
	if (r == -ECONNREFUSED)
		end(p, OUTCOME_REFUSED, ECONNREFUSED);
	else if (r == -ENOTSUP)
		p->over = p->unasked = true;
	else if (r < 0)
		end(p, OUTCOME_LOCAL, -r);
}

struct own_probe *own_probe_new(const struct own_target *target, uint64_t now_us)
{
	struct own_probe *p = xcalloc(1, sizeof(*p));

	p->target = *target;
	for (size_t i = 0; i < ATTEMPTS; i++)
		p->fds[i] = -1;
	p->fact = (struct fact_probe){.probe = target->probe,
		.outcome = OUTCOME_SILENT,
		.port = target->port,
		.ttl = target->hops ? target->hops : -1,
		.size = -1,
		.icmp_type = -1,
		.icmp_code = -1,
		.rtt_us = -1};
	ask(p, now_us);
	return p;
}

void own_probe_free(struct own_probe *p)
{
	if (!p)
		return;
	close_sockets(p);
	free(p);
}

/* What a host says where nobody listens; its firewall says something else (RFC 792, RFC 4443). */
static bool is_refusal(const struct sock_extended_err *e)
{
	if (e->ee_origin == SO_EE_ORIGIN_ICMP6)
		return e->ee_type == ICMP6_DST_UNREACH && e->ee_code == ICMP6_DST_UNREACH_NOPORT;
	return e->ee_type == ICMP_DEST_UNREACH &&
	       (e->ee_code == ICMP_PORT_UNREACH || e->ee_code == ICMP_PROT_UNREACH);
}

static void take_error(struct own_probe *p, const struct sock_extended_err *e)
{
	union socket_address offender = {};

	memcpy(&offender, e + 1,
		p->target.address.family == AF_INET ? sizeof(offender.in) : sizeof(offender.in6));
	if (e->ee_origin == SO_EE_ORIGIN_LOCAL) {
		end(p, OUTCOME_LOCAL, (int)e->ee_errno);
		return;
	}
	p->fact.sender = socket_address_get(&offender, nullptr);
	p->fact.icmp_type = e->ee_type;
	p->fact.icmp_code = e->ee_code;
	bool itself = !addr_cmp(&p->fact.sender, &p->target.address) && is_refusal(e);
	bool here = !addr_cmp(&p->fact.sender, &p->fact.source);
	end(p, here ? OUTCOME_LOCAL : itself ? OUTCOME_REFUSED : OUTCOME_ERROR, (int)e->ee_errno);
}

/* ICMP errors, and what this host says in their stead (ip(7) IP_RECVERR). */
static bool read_errors(struct own_probe *p, int fd)
{
	alignas(struct cmsghdr) char control[512];
	char data[64];
	struct iovec iov = {.iov_base = data, .iov_len = sizeof(data)};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};

	if (recvmsg(fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
		if (!v4 && (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_RECVERR))
			continue;
		/* The data of a control message is aligned for this (cmsg(3)). */
		take_error(p, (const void *)CMSG_DATA(c));
		return true;
	}
	return false;
}

static void answered(struct own_probe *p, size_t i, uint64_t now_us)
{
	p->fact.answered = 1;
	p->fact.rtt_us = (int64_t)(now_us - p->sent_us[i]);
	end(p, OUTCOME_ANSWERED, 0);
}

static void look(struct own_probe *p, size_t i, uint64_t now_us)
{
	bool tcp = p->target.proto == IPPROTO_TCP;
	struct pollfd poll_fd = {.fd = p->fds[i], .events = tcp ? POLLOUT : POLLIN};
	int error = 0;
	socklen_t len = sizeof(error);

	if (read_errors(p, p->fds[i]))
		return;
	int ready = poll(&poll_fd, 1, 0);
	if (getsockopt(p->fds[i], SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error == ECONNREFUSED)
		end(p, OUTCOME_REFUSED, error);
	else if (error)
		end(p, OUTCOME_LOCAL, error);
	else if (ready > 0 && poll_fd.revents & poll_fd.events)
		answered(p, i, now_us);
}

void own_probe_check(struct own_probe *p, uint64_t now_us)
{
	for (size_t i = 0; i < p->sent && !p->over; i++)
		look(p, i, now_us);
	if (!p->over && p->sent < ATTEMPTS && now_us - p->sent_us[0] >= AGAIN_US)
		ask(p, now_us);
}

bool own_probe_answered(const struct own_probe *p)
{
	return p->fact.probe == PROBE_OWN && p->fact.outcome == OUTCOME_ANSWERED;
}

bool own_probe_ended(const struct own_probe *p)
{
	return p->over;
}

/* That a packet died of its few hops says nothing of those that may go farther. */
bool own_probe_heard(const struct own_probe *p)
{
	enum fact_outcome o = p->fact.outcome;

	return p->fact.probe != PROBE_OWN_HOP &&
	       (o == OUTCOME_ANSWERED || o == OUTCOME_REFUSED || o == OUTCOME_ERROR);
}

/* Without a socket nothing was asked, and nothing is known. An echo beside a flow is for those who
 * may; of a flow of echoes it is the question itself. */
void own_probe_tell(const struct own_probe *p, struct evidence *e)
{
	if (p->unasked && p->target.probe == PROBE_OWN) {
		struct fact_missing *m = &evidence_add(e, FACT_MISSING)->missing;
		m->observer = OBSERVER_PROBES;
		snprintf(m->why, sizeof(m->why),
			"this host may send no echo requests for itself (net.ipv4.ping_group_range)");
	}
	if (p->unasked)
		return;
	evidence_add(e, FACT_PROBE)->probe = p->fact;
}
