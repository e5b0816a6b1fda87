/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends of BGP sessions as table inet meshgw tells them (NFLOG), in a real kernel: those that come
 * from the other side, and our own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/marks.h"
#include "net/nflog.h"
#include "nft_world.h"
#include "packet.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define GATEWAY "10.0.1.11"
#define GATEWAY6 "2001:db8:1::11"

/* What was sent before has been looked at: a packet behind it is through. */
static void pass(struct nft_world *w)
{
	struct packet got, marker = packet_new("10.0.1.50", "100.96.0.10", IPPROTO_UDP, 5, 6);

	packet_send(w->net->lan_fd, &marker);
	packet_expect(w->net->mesh_fd, &marker, &got);
}

struct ended {
	unsigned n, lost;
	struct addr last;
};

static void on_ended(const struct addr *neighbor, void *arg)
{
	struct ended *e = arg;

	e->n += neighbor->family != AF_UNSPEC;
	e->lost += neighbor->family == AF_UNSPEC;
	e->last = *neighbor;
}

/* The other side ends a session: its segment comes to the gateway. */
static void test_session_ends(void **state)
{
	static const struct {
		const char *from, *to;
		uint16_t sport, dport;
		uint8_t flags;
		bool told;
	} cases[] = {
		{"10.0.1.1", GATEWAY, 179, 40000, TH_FIN | TH_ACK, true},
		{"10.0.1.1", GATEWAY, 40000, 179, TH_RST, true},
		{"2001:db8:1::1", GATEWAY6, 179, 40000, TH_RST | TH_ACK, true},
		{"10.0.1.1", GATEWAY, 22, 40000, TH_RST, false},
		{"10.0.1.2", GATEWAY, 179, 40000, TH_RST, false},
	};
	struct nft_world *w = *state;
	struct nflog *log = nullptr;
	struct ended ended = {};
	struct err err = {};

	if (nflog_open(MARK_NFLOG_GROUP, &log, &err) < 0)
		fail_msg("%s", err.msg);
	nft_world_replace(w, nft_model("auto"));
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct packet p = packet_new(
			cases[i].from, cases[i].to, IPPROTO_TCP, cases[i].sport, cases[i].dport);
		struct addr neighbor = netns_addr(cases[i].from);

		p.tcp_flags = cases[i].flags;
		ended = (struct ended){};
		packet_send(w->net->lan_fd, &p);
		pass(w);
		assert_true(nflog_read(log, 8, on_ended, &ended) >= 0);
		/* The kernel answers a FIN that belongs to nobody with a RST. */
		if (ended.n > 2 || (ended.n > 0) != cases[i].told)
			fail_msg("case %zu: told %u times", i, ended.n);
		if (cases[i].told)
			assert_int_equal(addr_cmp(&ended.last, &neighbor), 0);
	}
	nflog_close(log);
}

/* A session that this host opened and ends: at once, as bgpd does for want of BFD, or killed. */
static void test_own_session_ends(void **state)
{
	struct nft_world *w = *state;
	struct addr neighbor = netns_addr("10.0.1.1");
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(179)};
	struct nflog *log = nullptr;
	struct err err = {};

	memcpy(&sa.sin_addr, neighbor.b, sizeof(sa.sin_addr));
	assert_int_equal(nflog_open(MARK_NFLOG_GROUP, &log, &err), 0);
	nft_world_replace(w, nft_model("auto"));
	for (int killed = 0; killed < 2; killed++) {
		const struct linger linger = {.l_onoff = killed};
		struct packet syn, want = {.to = neighbor, .proto = IPPROTO_TCP, .dport = 179};
		struct ended ended = {};
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
		assert_int_equal(connect(fd, (const struct sockaddr *)&sa, sizeof(sa)), -1);
		assert_int_equal(errno, EINPROGRESS);
		do
			packet_expect(w->net->lan_fd, &want, &syn);
		while (syn.tcp_flags != TH_SYN); /* the end of the one before */
		struct packet answer = packet_reply(&syn);
		packet_send(w->net->lan_fd, &answer);
		struct pollfd ready = {.fd = fd, .events = POLLOUT};
		assert_int_equal(poll(&ready, 1, 2000), 1);
		assert_int_equal(nflog_read(log, 8, on_ended, &ended), 0);

		close(fd);
		ready = (struct pollfd){.fd = nflog_fd(log), .events = POLLIN};
		assert_int_equal(poll(&ready, 1, 2000), 1);
		assert_true(nflog_read(log, 8, on_ended, &ended) > 0);
		assert_int_equal(ended.n, 1);
		assert_int_equal(addr_cmp(&ended.last, &neighbor), 0);
	}
	nflog_close(log);
}

static void end_session(struct nft_world *w, const char *neighbor)
{
	struct packet p = packet_new(neighbor, GATEWAY, IPPROTO_TCP, 179, 40000);

	p.tcp_flags = TH_RST;
	packet_send(w->net->lan_fd, &p);
}

/* More than the socket holds is lost, and so is what comes behind it until all has been read: who
 * has asked everybody meanwhile does not know of that, and is told again. */
static void test_silent_loss(void **state)
{
	struct nft_world *w = *state;
	struct nflog *log = nullptr;
	struct ended ended = {};
	struct err err = {};
	int size = 4096;

	assert_int_equal(nflog_open(MARK_NFLOG_GROUP, &log, &err), 0);
	assert_int_equal(setsockopt(nflog_fd(log), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	nft_world_replace(w, nft_model("auto"));
	for (unsigned i = 0; i < 50; i++)
		end_session(w, "10.0.1.1");
	pass(w);
	assert_int_equal(nflog_read(log, 1, on_ended, &ended), 1);
	assert_int_equal(ended.lost, 1);
	end_session(w, "10.0.1.1");
	pass(w);
	ended = (struct ended){};
	while (nflog_read(log, 8, on_ended, &ended) > 0)
		;
	assert_in_range(ended.n, 1, 49);
	assert_int_equal(ended.lost, 1);
	nflog_close(log);
}

/* Of a group that another process reads. */
static void test_nflog_refused(void **)
{
	struct nflog *log = nullptr, *second = nullptr;
	struct err err = {};

	assert_int_equal(nflog_open(7, &log, &err), 0);
	assert_int_equal(nflog_open(7, &second, &err), -EPERM);
	assert_string_equal(err.msg, "packet log, group 7: Operation not permitted");
	nflog_close(log);
	nflog_close(nullptr);
}

#define KERNEL_TEST(f) cmocka_unit_test_setup_teardown(f, nft_world_setup, nft_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL_TEST(test_session_ends),
		KERNEL_TEST(test_own_session_ends),
		KERNEL_TEST(test_silent_loss),
		KERNEL_TEST(test_nflog_refused),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
