/* SPDX-License-Identifier: Apache-2.0 */
/* A packet socket without BPF programs hears its flow and no other, and nobody can change that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nft_world.h"
#include "trace/capture.h"
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct version {
	uint8_t family;
	const char *client, *device, *service, *other;
} versions[] = {
	{AF_INET, "100.64.12.189", "100.96.0.10", "10.0.1.50", "10.0.1.51"},
	{AF_INET6, "2606:4700:cf1:5000::bd", "2606:4700:cf1:1000::10", "2001:db8:1::50",
		"2001:db8:1::51"},
};

static struct request request_of(const struct version *v)
{
	return (struct request){.family = v->family,
		.proto = IPPROTO_TCP,
		.client = netns_addr(v->client),
		.target = netns_addr(v->service),
		.port = 3000,
		.mesh = "mesh0"};
}

static void tun_write(int tun, const char *from, const char *to, uint16_t port)
{
	uint8_t frame[BUILD_MAX];
	const struct build b = {.kind = BUILD_SYN,
		.from = netns_addr(from),
		.to = netns_addr(to),
		.sport = 1,
		.dport = port,
		.ttl = 64};
	size_t len = build_packet(&b, frame) - BUILD_ETHERNET;

	assert_int_equal(write(tun, frame + BUILD_ETHERNET, len), len);
}

/* The destination ports of what is heard until the marker, whose port is 9. */
static size_t hear(int fd, const struct version *v, uint16_t ports[static 16])
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	size_t n = 0, l4 = v->family == AF_INET ? 20 : 40;
	uint8_t data[2048];

	for (;;) {
		assert_int_equal(poll(&poll_fd, 1, 2000), 1);
		ssize_t len = recv(fd, data, sizeof(data), 0);
		assert_true(len > (ssize_t)l4 + 4 && n < 16);
		uint16_t port = (uint16_t)(data[l4 + 2] << 8 | data[l4 + 3]);
		if (port == 9)
			return n;
		ports[n++] = port;
	}
}

static void test_coarse(void **state)
{
	struct nft_world *w = *state;

	for (const struct version *v = versions; v < versions + 2; v++) {
		struct request request = request_of(v);
		struct capture c;
		struct err err = {};
		uint16_t ports[16];

		assert_int_equal(capture_open(&c, &err), 0);
		capture_find(&c, &request);
		if (capture_start(&c, -1, &err) < 0)
			fail_msg("%s", err.msg);
		tun_write(w->net->mesh_fd, v->device, v->other, 3);
		tun_write(w->net->mesh_fd, v->device, v->service, 1);
		tun_write(w->net->mesh_fd, v->client, v->other, 2);
		tun_write(w->net->mesh_fd, v->client, v->service, 9);
		assert_int_equal(hear(c.fd, v, ports), 2);
		assert_true(ports[0] == 1 && ports[1] == 2);
		/* At an interface that nobody asked for; its way out by mesh0 is heard. */
		tun_write(w->net->lan_fd, v->service, v->client, 4);
		tun_write(w->net->mesh_fd, v->client, v->service, 9);
		assert_int_equal(hear(c.fd, v, ports), 1);
		assert_int_equal(ports[0], 4);
		int none = 0;
		assert_int_equal(
			setsockopt(c.fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none)), -1);
		assert_int_equal(errno, EPERM);
		capture_close(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_coarse, nft_world_setup, nft_world_teardown),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
