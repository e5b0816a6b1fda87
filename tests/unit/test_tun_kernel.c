/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two network stacks, each behind a TUN device, and between them what the tunnel does with packets:
 * taken apart as for a wire, put together for the other side. Everything is in this one thread:
 * a socket belongs to the namespace that it was made in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/segment.h"
#include "data/tun.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "netns.h"
#include "wire.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

constexpr int TIMEOUT_MS = 10'000;
constexpr size_t MTU = 1280;
constexpr size_t BULK = 8 * 1024 * 1024;

struct in6_ifreq { /* linux/ipv6.h, which does not go with glibc's headers */
	struct in6_addr address;
	uint32_t length;
	int ifindex;
};

struct side {
	struct tun *tun;
	int plain;      /* a socket of its namespace */
	size_t largest; /* packet that its kernel gave */
	uint64_t wrong; /* packets with wrong checksums, or too long */
};

struct bridge {
	struct side a, b;
};

static void give_addresses(const char *name, unsigned host)
{
	struct ifreq ifr = {};
	struct sockaddr_in v4 = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a010000 + host)};
	struct in6_ifreq v6 = {.length = 64};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int fd6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	memcpy(&ifr.ifr_addr, &v4, sizeof(v4));
	assert_int_equal(ioctl(fd, SIOCSIFADDR, &ifr), 0);
	v4.sin_addr.s_addr = htonl(0xffffff00);
	memcpy(&ifr.ifr_netmask, &v4, sizeof(v4));
	assert_int_equal(ioctl(fd, SIOCSIFNETMASK, &ifr), 0);
	ifr.ifr_mtu = MTU;
	assert_int_equal(ioctl(fd, SIOCSIFMTU, &ifr), 0);
	assert_int_equal(ioctl(fd, SIOCGIFINDEX, &ifr), 0);
	v6.ifindex = ifr.ifr_ifindex;
	v6.address.s6_addr[0] = 0xfd;
	v6.address.s6_addr[15] = (uint8_t)host;
	assert_int_equal(ioctl(fd6, SIOCSIFADDR, &v6), 0);
	/* The kernel looks for duplicates, if only to find that it need not, in its own time. */
	struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_addr = v6.address};
	int left = TIMEOUT_MS;
	while (bind(fd6, (struct sockaddr *)&own, sizeof(own)) < 0)
		assert_true(left-- > 0 && poll(nullptr, 0, 1) == 0);
	close(fd);
	close(fd6);
}

static void side_open(struct side *s, unsigned host, short flags)
{
	struct ifreq ifr = {.ifr_name = "tun0", .ifr_flags = flags};
	struct err err = {};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_true(fd >= 0);
	/* The namespace is that of the opening: once more. */
	close(fd);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
	netns_link_up("lo", true);
	netns_link_up("tun0", true);
	give_addresses("tun0", host);
	if (tun_new(fd, &s->tun, &err) < 0)
		fail_msg("%s", err.msg);
}

/* What one kernel gives goes to the other, packet by packet. False when there was nothing. */
static bool carry(struct side *from, struct side *to)
{
	static uint8_t buffer[TUN_BUFFER], packet[SEGMENT_HEAD_MAX + WIRE_MAX];
	uint8_t head[SEGMENT_HEAD_MAX];
	struct virtio_net_hdr vnet;
	struct segment_piece piece;
	struct segment s;

	int n = tun_read(from->tun, &vnet, buffer);
	if (n == -EAGAIN)
		return false;
	assert_true(n > 0);
	if ((size_t)n > from->largest)
		from->largest = (size_t)n;
	assert_int_equal(segment_begin(&s, &vnet, buffer + TUN_HEADROOM, (size_t)n), 0);
	while (segment_next(&s, head, &piece)) {
		memcpy(packet, piece.head, piece.head_n);
		if (piece.payload_n)
			memcpy(packet + piece.head_n, piece.payload, piece.payload_n);
		size_t length = piece.head_n + piece.payload_n;
		from->wrong += length > MTU || !wire_is_right(packet, length);
		tun_write(to->tun, packet, length);
	}
	return true;
}

/* Several packets a turn, as the tunnel does it. */
static void turn(struct bridge *b)
{
	for (int i = 0; i < 8 && carry(&b->a, &b->b); i++) {
	}
	tun_flush(b->b.tun);
	for (int i = 0; i < 8 && carry(&b->b, &b->a); i++) {
	}
	tun_flush(b->a.tun);
}

static void bridge_close(struct bridge *b)
{
	assert_int_equal(b->a.wrong + b->b.wrong, 0);
	tun_free(b->a.tun);
	tun_free(b->b.tun);
}

/* Addresses: of side b, port 7. */
static socklen_t target(bool v6, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = {
		.sin_family = AF_INET, .sin_port = htons(7), .sin_addr.s_addr = htonl(0x0a010002)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(7)};

	six.sin6_addr.s6_addr[0] = 0xfd;
	six.sin6_addr.s6_addr[15] = 2;
	memcpy(out, v6 ? (void *)&six : (void *)&v4, v6 ? sizeof(six) : sizeof(v4));
	return v6 ? sizeof(six) : sizeof(v4);
}

static int make_socket(bool v6, int type)
{
	int fd = socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	return fd;
}

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 31 + i / 65'521);
}

static void send_more(int fd, size_t *sent)
{
	static uint8_t bytes[65'536];
	size_t n = BULK - *sent < sizeof(bytes) ? BULK - *sent : sizeof(bytes);

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++)
		bytes[i] = byte_at(*sent + i);
	ssize_t r = send(fd, bytes, n, MSG_NOSIGNAL);
	if (r > 0)
		*sent += (size_t)r;
	else
		assert_true(errno == EAGAIN || errno == ENOTCONN);
}

static void receive_more(int fd, size_t *received)
{
	static uint8_t bytes[65'536];
	ssize_t r = recv(fd, bytes, sizeof(bytes), 0);

	for (ssize_t i = 0; i < r; i++, (*received)++)
		assert_int_equal(bytes[i], byte_at(*received));
}

static void wait_any(struct bridge *b, int client, bool sending, int server)
{
	struct pollfd fds[] = {
		{.fd = tun_fd(b->a.tun), .events = POLLIN},
		{.fd = tun_fd(b->b.tun), .events = POLLIN},
		{.fd = client, .events = sending ? POLLOUT : 0},
		{.fd = server, .events = POLLIN},
	};
	assert_true(poll(fds, 4, TIMEOUT_MS) > 0);
}

/* 8 MiB by TCP, byte for byte. */
static void transfer(struct bridge *b, bool v6)
{
	struct sockaddr_storage to;
	socklen_t to_n = target(v6, &to);
	int listener = make_socket(v6, SOCK_STREAM); /* b is the namespace we are in */
	int server = -1;
	size_t sent = 0, received = 0;

	assert_int_equal(bind(listener, (struct sockaddr *)&to, to_n), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_true(connect(b->a.plain, (struct sockaddr *)&to, to_n) < 0 && errno == EINPROGRESS);
	while (received < BULK) {
		wait_any(
			b, b->a.plain, sent < BULK && server >= 0, server >= 0 ? server : listener);
		turn(b);
		if (server < 0)
			server = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
		else
			receive_more(server, &received);
		send_more(b->a.plain, &sent);
	}
	assert_int_equal(received, BULK);
	close(server);
	close(listener);
}

static void run_transfer(bool v6, short flags, bool offloads)
{
	struct bridge b = {};

	side_open(&b.a, 1, flags);
	b.a.plain = make_socket(v6, SOCK_STREAM);
	side_open(&b.b, 2, flags);
	transfer(&b, v6);
	/* The kernel gave large packets, and took them. */
	const struct tun_counters *in = tun_counters(b.a.tun), *out = tun_counters(b.b.tun);
	assert_int_equal(b.a.largest > 20'000, offloads);
	assert_int_equal(in->read < BULK / MTU / 4, offloads);
	assert_int_equal(out->written < BULK / MTU / 4, offloads);
	assert_int_equal(out->lost, 0);
	close(b.a.plain);
	bridge_close(&b);
}

constexpr short PLAIN = IFF_TUN | IFF_NO_PI;
constexpr short WITH_OFFLOADS = PLAIN | IFF_VNET_HDR;

static void test_tcp4(void **)
{
	run_transfer(false, WITH_OFFLOADS, true);
}

static void test_tcp6(void **)
{
	run_transfer(true, WITH_OFFLOADS, true);
}

/* Opened by somebody who did not know of IFF_VNET_HDR. */
static void test_plain(void **)
{
	run_transfer(false, PLAIN, false);
}

/* A run of 40 datagrams is one packet on either side, and 40 datagrams for the receiver. */
static void run_datagrams(bool v6)
{
	static uint8_t bytes[40 * 1200];
	struct sockaddr_storage to;
	socklen_t to_n = target(v6, &to);
	struct bridge b = {};
	uint8_t got[2000];
	int size = 1200;

	side_open(&b.a, 1, WITH_OFFLOADS);
	int client = make_socket(v6, SOCK_DGRAM);
	side_open(&b.b, 2, WITH_OFFLOADS);
	int server = make_socket(v6, SOCK_DGRAM);
	assert_int_equal(bind(server, (struct sockaddr *)&to, to_n), 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = byte_at(i);
	assert_int_equal(setsockopt(client, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)), 0);
	assert_int_equal(sendto(client, bytes, sizeof(bytes), 0, (struct sockaddr *)&to, to_n),
		sizeof(bytes));
	wait_any(&b, -1, false, -1);
	turn(&b);
	for (size_t i = 0; i < 40; i++) {
		struct pollfd p = {.fd = server, .events = POLLIN};
		assert_int_equal(poll(&p, 1, TIMEOUT_MS), 1);
		assert_int_equal(recv(server, got, sizeof(got), 0), size);
		assert_memory_equal(got, bytes + i * 1200, 1200);
	}
	assert_true(b.a.largest > 40'000);
	close(client);
	close(server);
	bridge_close(&b);
}

static void test_udp(void **)
{
	run_datagrams(false);
	run_datagrams(true);
}

static void test_refused(void **)
{
	struct err err = {};
	struct tun *t = nullptr;
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};

	assert_true(tun_new(open("/dev/null", O_RDWR | O_CLOEXEC), &t, &err) < 0);
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
	assert_int_equal(tun_new(fd, &t, &err), -EINVAL);
	assert_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp4),
		cmocka_unit_test(test_tcp6),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_refused),
	};
	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
