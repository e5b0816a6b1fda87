/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/lone.h"
#include "data/udp.h"
#include "netns.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

constexpr int TIMEOUT_MS = 10'000;

static uint8_t payload[UDP_RUN_MAX];

static union udp_address address(const char *text, uint16_t port)
{
	union udp_address a = {};

	if (inet_pton(AF_INET, text, &a.v4.sin_addr) == 1) {
		a.v4.sin_family = AF_INET;
		a.v4.sin_port = htons(port);
		return a;
	}
	assert_int_equal(inet_pton(AF_INET6, text, &a.v6.sin6_addr), 1);
	a.v6.sin6_family = AF_INET6;
	a.v6.sin6_port = htons(port);
	return a;
}

static int bound(const union udp_address *a)
{
	int fd = socket(a->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t n = a->any.sa_family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, &a->any, n), 0);
	return fd;
}

static struct udp *open_udp(int take_fd)
{
	struct err err = {};
	struct udp *u = nullptr;

	if (udp_new(take_fd, &u, &err) < 0)
		fail_msg("%s", err.msg);
	return u;
}

static struct udp *open_at(const char *text, uint16_t port)
{
	union udp_address a = address(text, port);
	return open_udp(bound(&a));
}

static bool wait_for(const struct udp *u, short events)
{
	struct pollfd p = {.fd = udp_fd(u), .events = events};
	return poll(&p, 1, TIMEOUT_MS) == 1;
}

static struct udp_run run_to(const char *text, size_t n, size_t segment)
{
	return (struct udp_run){
		.remote = address(text, 2000), .data = payload, .n = n, .segment = segment};
}

/* All of n datagrams; their payloads lie one behind the other. */
static void check_received(struct udp *u, size_t n, size_t segment, uint8_t ecn, const char *local)
{
	union udp_address expected = address(local, 2000);
	const struct udp_run *runs;
	size_t bytes = 0;

	while (bytes < n) {
		assert_true(wait_for(u, POLLIN));
		unsigned got = udp_receive(u, &runs);
		for (unsigned i = 0; i < got; i++) {
			bool last = bytes + runs[i].n == n;
			assert_int_equal(runs[i].segment < segment ? last : true, true);
			assert_true(runs[i].segment <= segment);
			assert_int_equal(runs[i].ecn, ecn);
			assert_memory_equal(&runs[i].local, &expected, sizeof(expected));
			assert_memory_equal(runs[i].data, payload + bytes, runs[i].n);
			bytes += runs[i].n;
		}
	}
	assert_int_equal(bytes, n);
}

static const struct {
	const char *listen, *to, *from;
	size_t n, segment;
	uint8_t ecn;
} sends[] = {
	{"0.0.0.0", "127.0.0.1", "0.0.0.0", 1200, 1200, 0},
	{"0.0.0.0", "127.0.0.2", "127.0.0.9", 12'345, 1200, 1},
	{"127.0.0.1", "127.0.0.1", "127.0.0.1", UDP_RUN_MAX, 1452, 2},
	{"::", "::1", "::", 1200, 1200, 2},
	{"::", "::1", "::1", 64'000, 1000, 3},
	{"::1", "::1", "::", 2401, 1200, 0},
};

static void test_runs(void **)
{
	for (size_t i = 0; i < sizeof(sends) / sizeof(sends[0]); i++) {
		struct udp *to = open_at(sends[i].listen, 2000);
		struct udp *from = open_at(sends[i].from, 0);
		struct udp_run run = run_to(sends[i].to, sends[i].n, sends[i].segment);
		run.local = *udp_local(from);
		run.ecn = sends[i].ecn;
		assert_int_equal(udp_send(from, &run, 1), 1);
		check_received(to, sends[i].n, sends[i].segment, sends[i].ecn, sends[i].to);
		assert_int_equal(udp_counters(from)->send_calls, 1);
		assert_int_equal(udp_counters(to)->received, udp_counters(from)->sent);
		assert_true(udp_counters(to)->receive_calls < 3);
		udp_free(to);
		udp_free(from);
	}
}

/* One who answers from the address that was asked. */
static void test_source(void **)
{
	struct udp *server = open_at("0.0.0.0", 2000), *client = open_at("127.0.0.1", 2001);
	struct udp_run run = run_to("127.0.0.5", 100, 100);
	const struct udp_run *runs;

	assert_int_equal(udp_send(client, &run, 1), 1);
	assert_true(wait_for(server, POLLIN));
	assert_int_equal(udp_receive(server, &runs), 1);
	struct udp_run answer = runs[0];
	assert_int_equal(udp_send(server, &answer, 1), 1);
	assert_true(wait_for(client, POLLIN));
	assert_int_equal(udp_receive(client, &runs), 1);
	assert_int_equal(runs[0].remote.v4.sin_addr.s_addr, htonl(0x7f000005));
	assert_int_equal(udp_receive(client, &runs), 0);
	udp_free(server);
	udp_free(client);
}

/* Who is bound to an address sends from there, and needs not be told. */
static void test_bound(void **)
{
	struct udp *to = open_at("0.0.0.0", 2000), *from = open_at("127.0.0.3", 2001);
	struct udp_run run = run_to("127.0.0.1", 100, 100);
	const struct udp_run *got;

	run.local = address("127.0.0.4", 2001);
	assert_int_equal(udp_send(from, &run, 1), 1);
	assert_true(wait_for(to, POLLIN));
	assert_int_equal(udp_receive(to, &got), 1);
	assert_int_equal(got[0].remote.v4.sin_addr.s_addr, htonl(0x7f000003));
	udp_free(to);
	udp_free(from);
}

/* Each call finds its places as new: long runs after short ones, of other senders and marks. */
static void test_places(void **)
{
	static const unsigned counts[] = {16, 1, 16, 3, 7, 16};
	struct udp *to = open_at("0.0.0.0", 2000);
	struct udp *from[] = {open_at("127.0.0.1", 2001), open_at("127.0.0.2", 2002)};
	const struct udp_run *got;

	for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct udp *sender = from[i % 2];
		for (unsigned k = 0; k < counts[i]; k++) {
			struct udp_run run = run_to("127.0.0.1", 1000 + i * 5000, 1000);
			run.ecn = i % 4;
			assert_int_equal(udp_send(sender, &run, 1), 1);
		}
		assert_true(wait_for(to, POLLIN));
		assert_int_equal(udp_receive(to, &got), counts[i]);
		for (unsigned k = 0; k < counts[i]; k++) {
			assert_int_equal(got[k].n, 1000 + i * 5000);
			assert_int_equal(got[k].segment, 1000);
			assert_int_equal(got[k].ecn, i % 4);
			assert_memory_equal(
				&got[k].remote, udp_local(sender), sizeof(struct sockaddr_in));
		}
	}
	udp_free(from[0]);
	udp_free(from[1]);
	udp_free(to);
}

/* Where datagrams have come one by one for long a call brings one, whatever waits: the next ones
 * bring the rest, and a run comes whole. */
static void test_lone(void **)
{
	constexpr unsigned often = 2 * LONE_LOOKS;
	struct udp *to = open_at("127.0.0.1", 2000), *from = open_at("127.0.0.1", 2001);
	const struct udp_run *got;

	for (unsigned i = 0; i < often + 1; i++) {
		struct udp_run run = run_to("127.0.0.1", 100 + i, 100 + i);
		run.ecn = i % 4;
		assert_int_equal(udp_send(from, &run, 1), 1);
		assert_true(wait_for(to, POLLIN));
		assert_int_equal(udp_receive(to, &got), 1);
		assert_int_equal(got->n, 100 + i);
		assert_int_equal(got->ecn, i % 4);
		assert_memory_equal(&got->remote, udp_local(from), sizeof(struct sockaddr_in));
	}
	const struct udp_run sent[] = {run_to("127.0.0.1", 200, 200),
		run_to("127.0.0.1", 6000, 1000), run_to("127.0.0.1", 300, 300),
		run_to("127.0.0.1", 400, 400)};
	for (unsigned i = 0; i < 4; i++) {
		struct udp_run run = sent[i]; /* what is sent is used up */
		assert_int_equal(udp_send(from, &run, 1), 1);
	}
	static const unsigned calls[] = {1, 1, 2};
	for (unsigned i = 0, at = 0; i < 3; at += calls[i++]) {
		assert_true(wait_for(to, POLLIN));
		assert_int_equal(udp_receive(to, &got), calls[i]);
		for (unsigned k = 0; k < calls[i]; k++) {
			assert_int_equal(got[k].n, sent[at + k].n);
			assert_int_equal(got[k].segment, sent[at + k].segment);
		}
	}
	assert_int_equal(udp_receive(to, &got), 0);
	udp_free(to);
	udp_free(from);
}

/* A batch of runs to several peers; many more than one call takes. */
static void test_batch(void **)
{
	struct udp *to = open_at("127.0.0.1", 2000), *from = open_at("127.0.0.1", 0);
	struct udp_run runs[40];
	const struct udp_run *got;
	size_t bytes = 0;

	for (unsigned i = 0; i < 40; i++)
		runs[i] = run_to("127.0.0.1", 100 + i, 100 + i);
	assert_int_equal(udp_send(from, runs, 40), 40);
	assert_int_equal(udp_counters(from)->send_calls, 3);
	while (bytes < 40 * 100 + 39 * 20) {
		assert_true(wait_for(to, POLLIN));
		for (unsigned i = 0, n = udp_receive(to, &got); i < n; i++)
			bytes += got[i].n;
	}
	udp_free(to);
	udp_free(from);
}

/* The kernel refuses to segment where it may not write checksums. */
static void test_no_segments(void **)
{
	union udp_address any = address("127.0.0.1", 0);
	int fd = bound(&any), one = 1;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &one, sizeof(one)), 0);
	struct udp *from = open_udp(fd), *to = open_at("127.0.0.1", 2000);

	for (unsigned i = 0; i < 2; i++) {
		struct udp_run runs[2] = {
			run_to("127.0.0.1", 6000, 1200), run_to("127.0.0.1", 6000, 1200)};
		uint64_t calls = udp_counters(from)->send_calls;
		runs[1].data += 6000;
		assert_int_equal(udp_send(from, runs, 2), 2);
		check_received(to, 12'000, 1200, 0, "127.0.0.1");
		/* The first time it tries. */
		assert_int_equal(udp_counters(from)->send_calls - calls, i == 0 ? 11 : 10);
	}
	assert_int_equal(udp_counters(from)->lost, 0);
	udp_free(from);
	udp_free(to);
}

static void set_mtu(const char *name, int mtu)
{
	struct ifreq ifr = {.ifr_mtu = mtu};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	assert_int_equal(ioctl(fd, SIOCSIFMTU, &ifr), 0);
	close(fd);
}

/* What is too big is lost, and does not cost the others their segments. */
static void test_too_big(void **)
{
	struct udp *from = open_at("127.0.0.1", 0), *to = open_at("127.0.0.1", 2000);
	struct udp_run runs[2] = {run_to("127.0.0.1", 4800, 1600), run_to("127.0.0.1", 6000, 1200)};

	set_mtu("lo", 1500);
	assert_int_equal(udp_send(from, runs, 2), 2);
	check_received(to, 6000, 1200, 0, "127.0.0.1");
	assert_int_equal(udp_counters(from)->too_big, 3);
	assert_int_equal(udp_counters(from)->lost, 3);
	uint64_t calls = udp_counters(from)->send_calls;
	runs[0] = run_to("127.0.0.1", 6000, 1200);
	assert_int_equal(udp_send(from, runs, 1), 1);
	check_received(to, 6000, 1200, 0, "127.0.0.1");
	assert_int_equal(udp_counters(from)->send_calls, calls + 1);
	set_mtu("lo", 65'536);
	udp_free(to);
	udp_free(from);
}

/* What was given by somebody who may is not taken back (socket(7), SO_RCVBUFFORCE). */
static void test_large_buffers(void **)
{
	constexpr int large = 64 << 20;
	union udp_address at = address("127.0.0.1", 0);
	int fd = bound(&at), before = 0, after = 0;
	socklen_t n = sizeof(int);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof(large)) < 0) {
		close(fd);
		skip();
	}
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &before, &n), 0);
	struct udp *u = open_udp(fd);
	assert_int_equal(getsockopt(udp_fd(u), SOL_SOCKET, SO_RCVBUF, &after, &n), 0);
	assert_int_equal(after, before);
	udp_free(u);
}

static void test_refused(void **)
{
	struct err err = {};
	struct udp *u = nullptr;

	assert_true(udp_new(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), &u, &err) < 0);
	assert_true(udp_new(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), &u, &err) < 0);
	assert_null(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_lone),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_no_segments),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_large_buffers),
		cmocka_unit_test(test_refused),
	};
	if (!netns_may())
		return NETNS_SKIP;
	netns_link_up("lo", true);
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 3 + i / 253);
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
