/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/capture.h"
#include "lib/own.h"
#include "trace/coarse.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

constexpr int RECEIVE_BUFFER = 1024 * 1024;
constexpr size_t PACKET_SIZE_MAX = 65'536;

int capture_open(struct capture *c, struct err *err)
{
	/* Without the link header; protocol 0 hears nothing before bind(). */
	autoclose int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, size = RECEIVE_BUFFER;
	*c = (struct capture){.fd = -1};
	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0)
		return err_set(err, errno, "packet socket: %s", strerror(errno));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	c->fd = fd_take(&fd);
	return 0;
}

void capture_close(struct capture *c)
{
	own_close(&c->fd);
	c->fd = -1;
}

void capture_find(struct capture *c, const struct request *request)
{
	c->request = request;
	c->ifindex[0] = if_nametoindex(request->mesh);
	for (unsigned i = 0; i < request->lans.n; i++)
		c->ifindex[1 + i] = if_nametoindex(request->lans.list[i]);
}

int capture_start(struct capture *c, int filter, struct err *err)
{
	struct sockaddr_ll sa = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int on = 1;
	int r = filter < 0 ? coarse_attach(c->fd, c->request, c->ifindex)
		: setsockopt(c->fd, SOL_SOCKET, SO_ATTACH_BPF, &filter, sizeof(filter)) < 0 ? -errno
											    : 0;
	if (r >= 0 && setsockopt(c->fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)) < 0)
		r = -errno;
	if (r < 0)
		return err_set(err, -r, "packet filter: %s", strerror(-r));
	if (bind(c->fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return err_set(err, errno, "packet socket: %s", strerror(errno));
	return 0;
}

/* Its place in the list of interfaces; CAPTURE_INTERFACES = not in it. */
static unsigned find_place(const struct capture *c, int ifindex)
{
	unsigned i = 0;
	while (i < CAPTURE_INTERFACES && c->ifindex[i] != (unsigned)ifindex)
		i++;
	return i;
}

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1'000'000 + (uint64_t)t.tv_nsec / 1000;
}

static uint32_t status_of(struct msghdr *msg)
{
	struct tpacket_auxdata aux = {};
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA)
			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	}
	return aux.tp_status;
}

/* Of what is sent here a copy comes as well; what is for others only passes by. */
static bool is_ours(const struct sockaddr_ll *from)
{
	return from->sll_pkttype == PACKET_HOST || from->sll_pkttype == PACKET_OUTGOING;
}

static bool read_one(const struct capture *c, struct gather *gather, uint64_t since_us)
{
	static uint8_t data[PACKET_SIZE_MAX];
	alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct sockaddr_ll from = {};
	struct iovec iov = {.iov_base = data, .iov_len = sizeof(data)};
	struct msghdr msg = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(c->fd, &msg, 0);
	if (n < 0)
		return errno == EINTR;
	unsigned place = find_place(c, from.sll_ifindex);
	if (!is_ours(&from) || place == CAPTURE_INTERFACES)
		return true;
	uint32_t status = status_of(&msg);
	bool ethernet = from.sll_hatype == ARPHRD_ETHER && from.sll_halen == ETH_ALEN;
	gather_packet(gather, &(struct sighting){.data = data,
				      .len = (size_t)n,
				      .outgoing = from.sll_pkttype == PACKET_OUTGOING,
				      .interface = place == 0 ? c->request->mesh
							      : c->request->lans.list[place - 1],
				      .mesh = place == 0,
				      .lladdr = ethernet ? from.sll_addr : nullptr,
				      .unfinished = status & TP_STATUS_CSUMNOTREADY,
				      .verified = status & TP_STATUS_CSUM_VALID,
				      .at_us = now_us() - since_us});
	return true;
}

void capture_read(
	const struct capture *c, struct gather *gather, unsigned budget, uint64_t since_us)
{
	while (budget-- > 0 && read_one(c, gather, since_us))
		;
}

unsigned capture_lost(const struct capture *c)
{
	struct tpacket_stats stats = {};
	socklen_t len = sizeof(stats);
	if (c->fd < 0 || getsockopt(c->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) < 0)
		return 0;
	return stats.tp_drops;
}
