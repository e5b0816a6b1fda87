/* SPDX-License-Identifier: Apache-2.0 */
#include "data/udp.h"
#include "data/lone.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

constexpr size_t BUFFER = 65'536;
/* Room for the bursts of a second's hundredth at some Gbit/s; the kernel's limit may be lower. */
constexpr int SOCKET_BUFFER = 4 * 1024 * 1024;
constexpr uint8_t ECN_BITS = 3;

/* What goes along with a message, either way: address, traffic class, segment size. */
union control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int)) +
		      CMSG_SPACE(sizeof(int))];
};

/* A datagram or a run on its way out. */
struct envelope {
	struct iovec iov;
	union control control;
};

struct udp {
	int fd;
	union udp_address local;
	bool any;      /* … which is none: it has all of the host's */
	bool segments; /* may UDP_SEGMENT be used? */
	struct udp_counters counters;
	struct mmsghdr headers[UDP_BATCH];
	struct envelope envelopes[UDP_BATCH];
	/* Receiving. */
	struct mmsghdr headers_in[UDP_BATCH];
	struct envelope in[UDP_BATCH];
	struct udp_run runs[UDP_BATCH];
	struct lone lone;
	unsigned used; /* of these, by the last call */
	uint8_t *buffers;
};

/* Setting up. */

struct option {
	int level, name, value;
	bool optional;
	const char *what;
};

static const struct option options_v4[] = {
	{IPPROTO_IP, IP_PKTINFO, 1, false, "IP_PKTINFO"},
	{IPPROTO_IP, IP_RECVTOS, 1, false, "IP_RECVTOS"},
	{IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, false, "IP_MTU_DISCOVER"},
	{SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER, false, "SO_RCVBUF"},
	{SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER, false, "SO_SNDBUF"},
	{IPPROTO_UDP, UDP_GRO, 1, true, "UDP_GRO"},
	{},
};

static const struct option options_v6[] = {
	{IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, false, "IPV6_RECVPKTINFO"},
	{IPPROTO_IPV6, IPV6_RECVTCLASS, 1, false, "IPV6_RECVTCLASS"},
	{IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE, false, "IPV6_MTU_DISCOVER"},
	{SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER, false, "SO_RCVBUF"},
	{SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER, false, "SO_SNDBUF"},
	{IPPROTO_UDP, UDP_GRO, 1, true, "UDP_GRO"},
	{},
};

/* A buffer that was made larger by who may (socket(7), SO_RCVBUFFORCE) would be made smaller:
 * others get no more than net.core.rmem_max. The kernel tells twice what was asked for. */
static bool is_large_enough(int fd, const struct option *o)
{
	socklen_t n = sizeof(int);
	int now = 0;

	return o->level == SOL_SOCKET && getsockopt(fd, o->level, o->name, &now, &n) == 0 &&
	       now / 2 >= o->value;
}

static int set_options(const struct udp *u, struct err *err)
{
	const struct option *o = u->local.any.sa_family == AF_INET ? options_v4 : options_v6;

	for (; o->what; o++) {
		if (is_large_enough(u->fd, o) ||
			setsockopt(u->fd, o->level, o->name, &o->value, sizeof(o->value)) == 0)
			continue;
		if (!o->optional)
			return err_set(err, errno, "udp: %s: %s", o->what, strerror(errno));
		log_warn("udp", "slower: this kernel has no %s", o->what);
	}
	return 0;
}

static void stop_segmenting(struct udp *u, const char *why)
{
	if (u->segments)
		log_warn("udp", "slower: no UDP_SEGMENT, datagrams go one by one: %s", why);
	u->segments = false;
}

static int set_up(struct udp *u, struct err *err)
{
	int type = 0, segment = 0;
	socklen_t type_n = sizeof(type), segment_n = sizeof(segment), n = sizeof(u->local);

	if (getsockopt(u->fd, SOL_SOCKET, SO_TYPE, &type, &type_n) < 0 ||
		getsockname(u->fd, &u->local.any, &n) < 0)
		return err_set(err, errno, "udp: %s", strerror(errno));
	if (type != SOCK_DGRAM ||
		(u->local.any.sa_family != AF_INET && u->local.any.sa_family != AF_INET6))
		return err_set(err, EINVAL, "udp: no UDP socket");
	u->any = u->local.any.sa_family == AF_INET
			 ? u->local.v4.sin_addr.s_addr == INADDR_ANY
			 : IN6_IS_ADDR_UNSPECIFIED(&u->local.v6.sin6_addr);
	int flags = fcntl(u->fd, F_GETFL);
	if (flags < 0 || fcntl(u->fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_set(err, errno, "udp: %s", strerror(errno));
	u->segments = true;
	if (getsockopt(u->fd, IPPROTO_UDP, UDP_SEGMENT, &segment, &segment_n) < 0)
		stop_segmenting(u, strerror(errno));
	return set_options(u, err);
}

int udp_new(int take_fd, struct udp **out, struct err *err)
{
	struct udp *u = xcalloc(1, sizeof(*u));

	u->fd = take_fd;
	u->used = UDP_BATCH;
	u->buffers = xcalloc(UDP_BATCH, BUFFER);
	int r = set_up(u, err);
	if (r < 0) {
		udp_free(u);
		return r;
	}
	*out = u;
	return 0;
}

void udp_free(struct udp *u)
{
	if (!u)
		return;
	close(u->fd);
	free(u->buffers);
	free(u);
}

int udp_fd(const struct udp *u)
{
	return u->fd;
}

const union udp_address *udp_local(const struct udp *u)
{
	return &u->local;
}

const struct udp_counters *udp_counters(const struct udp *u)
{
	return &u->counters;
}

/* Receiving. */

static void read_pktinfo4(const struct cmsghdr *c, struct udp_run *run)
{
	struct in_pktinfo info;

	memcpy(&info, CMSG_DATA(c), sizeof(info));
	run->local.v4.sin_addr = info.ipi_addr;
}

static void read_pktinfo6(const struct cmsghdr *c, struct udp_run *run)
{
	struct in6_pktinfo info;

	memcpy(&info, CMSG_DATA(c), sizeof(info));
	run->local.v6.sin6_addr = info.ipi6_addr;
	if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
		run->local.v6.sin6_scope_id = info.ipi6_ifindex;
}

static void read_tos(const struct cmsghdr *c, struct udp_run *run)
{
	run->ecn = *CMSG_DATA(c) & ECN_BITS;
}

static void read_class(const struct cmsghdr *c, struct udp_run *run)
{
	int value;

	memcpy(&value, CMSG_DATA(c), sizeof(value));
	run->ecn = (uint8_t)value & ECN_BITS;
}

static void read_segment(const struct cmsghdr *c, struct udp_run *run)
{
	int value;

	memcpy(&value, CMSG_DATA(c), sizeof(value));
	if (value > 0)
		run->segment = (size_t)value;
}

static const struct {
	int level, type;
	void (*read)(const struct cmsghdr *c, struct udp_run *run);
} controls[] = {
	{IPPROTO_IP, IP_PKTINFO, read_pktinfo4},
	{IPPROTO_IP, IP_TOS, read_tos},
	{IPPROTO_IPV6, IPV6_PKTINFO, read_pktinfo6},
	{IPPROTO_IPV6, IPV6_TCLASS, read_class},
	{IPPROTO_UDP, UDP_GRO, read_segment},
};

static void read_control(struct udp_run *run, struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
			if (c->cmsg_level == controls[i].level && c->cmsg_type == controls[i].type)
				controls[i].read(c, run);
}

static void take_run(struct udp *u, unsigned i)
{
	struct udp_run *run = &u->runs[i];

	run->local = u->local;
	run->data = u->in[i].iov.iov_base;
	run->n = u->headers_in[i].msg_len;
	run->segment = run->n;
	run->ecn = 0;
	read_control(run, &u->headers_in[i].msg_hdr);
	u->counters.received += run->segment ? (run->n + run->segment - 1) / run->segment : 1;
	u->counters.received_bytes += run->n;
}

/* What the kernel has written to is set up again; most calls bring little. */
static void make_room(struct udp *u)
{
	for (unsigned i = 0; i < u->used; i++) {
		struct envelope *e = &u->in[i];
		e->iov = (struct iovec){u->buffers + i * BUFFER, BUFFER};
		u->headers_in[i].msg_hdr = (struct msghdr){.msg_name = &u->runs[i].remote,
			.msg_namelen = sizeof(u->runs[i].remote),
			.msg_iov = &e->iov,
			.msg_iovlen = 1,
			.msg_control = &e->control,
			.msg_controllen = sizeof(e->control)};
	}
	u->used = 0;
}

/* recvmmsg(2) looks for another one behind each. */
static int receive_some(struct udp *u)
{
	if (!lone_expected(&u->lone))
		return recvmmsg(u->fd, u->headers_in, UDP_BATCH, 0, nullptr);
	ssize_t n = recvmsg(u->fd, &u->headers_in[0].msg_hdr, 0);
	if (n < 0)
		return -1;
	u->headers_in[0].msg_len = (unsigned)n;
	return 1;
}

unsigned udp_receive(struct udp *u, const struct udp_run **runs)
{
	make_room(u);
	int n = receive_some(u);
	if (n <= 0)
		return 0;
	u->used = (unsigned)n;
	for (unsigned i = 0; i < u->used; i++)
		take_run(u, i);
	lone_note(&u->lone, n == 1 && u->runs[0].n == u->runs[0].segment);
	u->counters.receive_calls++;
	*runs = u->runs;
	return u->used;
}

/* Sending. */

static socklen_t address_size(const union udp_address *a)
{
	return a->any.sa_family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
}

static size_t put_control(
	union control *to, size_t at, int level, int type, const void *data, size_t n)
{
	struct cmsghdr header = {.cmsg_len = CMSG_LEN(n), .cmsg_level = level, .cmsg_type = type};

	memcpy(to->bytes + at, &header, sizeof(header));
	memcpy(to->bytes + at + CMSG_LEN(0), data, n);
	return at + CMSG_SPACE(n);
}

/* Who is bound to an address needs not name it. */
static size_t put_local(const struct udp *u, union control *to, const union udp_address *local)
{
	struct in_pktinfo info4 = {.ipi_spec_dst = local->v4.sin_addr};
	struct in6_pktinfo info6 = {.ipi6_addr = local->v6.sin6_addr};

	if (!u->any)
		return 0;
	if (local->any.sa_family == AF_INET && info4.ipi_spec_dst.s_addr != INADDR_ANY)
		return put_control(to, 0, IPPROTO_IP, IP_PKTINFO, &info4, sizeof(info4));
	if (local->any.sa_family == AF_INET6 && !IN6_IS_ADDR_UNSPECIFIED(&info6.ipi6_addr))
		return put_control(to, 0, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
	return 0;
}

static void put_message(struct udp *u, unsigned i, struct udp_run *run, size_t n)
{
	struct envelope *e = &u->envelopes[i];
	bool v4 = run->remote.any.sa_family == AF_INET;
	int ecn = run->ecn;
	uint16_t segment = (uint16_t)run->segment;
	size_t at = put_local(u, &e->control, &run->local);

	if (ecn)
		at = put_control(&e->control, at, v4 ? IPPROTO_IP : IPPROTO_IPV6,
			v4 ? IP_TOS : IPV6_TCLASS, &ecn, sizeof(ecn));
	if (n > run->segment)
		at = put_control(
			&e->control, at, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	e->iov = (struct iovec){run->data, n};
	u->headers[i].msg_hdr = (struct msghdr){.msg_name = &run->remote,
		.msg_namelen = address_size(&run->remote),
		.msg_iov = &e->iov,
		.msg_iovlen = 1,
		.msg_control = at ? &e->control : nullptr,
		.msg_controllen = at};
}

static size_t datagrams(const struct udp_run *run)
{
	return (run->n + run->segment - 1) / run->segment;
}

static void note_sent(struct udp *u, const struct udp_run *run)
{
	u->counters.sent += datagrams(run);
	u->counters.sent_bytes += run->n;
}

static void note_lost(struct udp *u, const struct udp_run *run, int error)
{
	u->counters.lost += datagrams(run);
	if (error == EMSGSIZE)
		u->counters.too_big += datagrams(run);
}

static bool is_full(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK;
}

/* One datagram after the other; 1 for the run, or -EAGAIN with what is left in *run. */
static int send_singly(struct udp *u, struct udp_run *run)
{
	while (run->n > 0) {
		struct udp_run one = *run;
		if (one.n > one.segment)
			one.n = one.segment;
		put_message(u, 0, &one, one.n);
		ssize_t sent = sendmsg(u->fd, &u->headers[0].msg_hdr, 0);
		if (sent < 0 && is_full(errno))
			return -EAGAIN;
		if (sent < 0)
			note_lost(u, &one, errno);
		else
			note_sent(u, &one);
		u->counters.send_calls++;
		run->data += one.n;
		run->n -= one.n;
	}
	return 1;
}

/* A run was refused for another reason than a full queue. Either the kernel or the device cannot
 * segment, or there is something wrong with these datagrams (net/ipv4/udp.c, udp_send_skb): sent
 * singly they tell which. */
static int send_refused(struct udp *u, struct udp_run *run, int error)
{
	uint64_t sent = u->counters.sent;
	bool many = run->n > run->segment;

	if (!many) {
		note_lost(u, run, error);
		run->n = 0;
		return 1;
	}
	int r = send_singly(u, run);
	if ((error == EIO || error == EINVAL) && u->counters.sent > sent)
		stop_segmenting(u, strerror(error));
	return r;
}

static int send_messages(struct udp *u, unsigned n)
{
	if (n > 1)
		return sendmmsg(u->fd, u->headers, n, 0);
	return sendmsg(u->fd, &u->headers[0].msg_hdr, 0) < 0 ? -1 : 1;
}

/* As many as one call takes; their number, or -EAGAIN. What is refused is dealt with. */
static int send_some(struct udp *u, struct udp_run *runs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		put_message(u, i, &runs[i], runs[i].n);
	int sent = send_messages(u, n);
	u->counters.send_calls++;
	for (int i = 0; i < sent; i++) {
		note_sent(u, &runs[i]);
		runs[i].n = 0;
	}
	if (sent > 0)
		return sent;
	if (is_full(errno))
		return -EAGAIN;
	return send_refused(u, &runs[0], errno);
}

unsigned udp_send(struct udp *u, struct udp_run *runs, unsigned n)
{
	unsigned done = 0;

	while (done < n) {
		unsigned some = n - done < UDP_BATCH ? n - done : UDP_BATCH;
		int r = u->segments ? send_some(u, runs + done, some) : send_singly(u, &runs[done]);
		if (r < 0)
			break;
		done += (unsigned)r;
	}
	return done;
}
