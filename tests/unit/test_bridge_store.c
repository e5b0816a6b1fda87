/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bridge's listening sockets over a restart of meshgwd. The test stands for systemd: it reads
 * what is sent to NOTIFY_SOCKET, keeps the descriptors, and gives them to the next one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/bridge_store.h"
#include "lib/own.h"
#include "world.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

struct place {
	int notify;
	char dir[32], name[128];
	uint16_t port;
	struct config *config;
	struct observed seen;
};

static void listen_notify(struct place *p)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/notify", p->dir);
	p->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(p->notify, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", at.sun_path, 1), 0);
}

static int loopback(uint16_t *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	char text[512];

	assert_non_null(p);
	strcpy(p->dir, "/tmp/meshgw-store-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	listen_notify(p);
	close(loopback(&p->port));
	snprintf(p->name, sizeof(p->name), "bridge-127.0.0.1_%u", p->port);
	snprintf(text, sizeof(text),
		"lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n"
		"bridge: {listen: [\"127.0.0.1:%u\"], routes: [{host: a, upstream: "
		"\"http://10.0.1.50\"}]}\n",
		p->port);
	p->config = world_config(text);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	char path[64];

	snprintf(path, sizeof(path), "%s/notify", p->dir);
	(void)unlink(path);
	(void)rmdir(p->dir);
	close(p->notify);
	config_free(p->config);
	free(p);
	return unsetenv("NOTIFY_SOCKET");
}

/* The next message to systemd, "" = there is none, and its descriptor, -1 = without. */
static int told(const struct place *p, char *text, size_t size)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {text, size - 1};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	int fd = -1;

	ssize_t n = recvmsg(p->notify, &m, MSG_CMSG_CLOEXEC);
	text[n > 0 ? n : 0] = '\0';
	for (struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : nullptr; c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static void assert_silent(const struct place *p)
{
	char text[256];

	assert_int_equal(told(p, text, sizeof(text)), -1);
	assert_string_equal(text, "");
}

static void assert_dropped(const struct place *p, const char *name)
{
	char text[256], want[256];

	snprintf(want, sizeof(want), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	assert_int_equal(told(p, text, sizeof(text)), -1);
	assert_string_equal(text, want);
}

static bool connects(const struct place *p, int *fd)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_port = htons(p->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return connect(*fd, (struct sockaddr *)&at, sizeof(at)) == 0;
}

/* Opens it, and gives what systemd keeps of it. */
static int open_and_keep(const struct place *p, struct bridge_listeners *all)
{
	char text[256], want[256];

	assert_true(bridge_listeners_update(all, p->config, &p->seen, false, 1));
	int fd = told(p, text, sizeof(text));
	snprintf(want, sizeof(want), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", p->name);
	assert_string_equal(text, want);
	assert_true(fd >= 0);
	return fd;
}

/* The next meshgwd has the same socket, with who came meanwhile in its queue. */
static void test_restart(void **state)
{
	const struct place *p = *state;
	struct bridge_listeners before = {}, after = {};
	char byte = 0;

	int kept = open_and_keep(p, &before);
	bridge_listeners_clear(&before);
	assert_silent(p);
	autoclose int client = -1;
	assert_true(connects(p, &client));
	assert_int_equal(send(client, "x", 1, 0), 1);

	bridge_store_take(&after, p->name, kept);
	assert_false(bridge_listeners_update(&after, p->config, &p->seen, false, 2));
	assert_silent(p);
	assert_int_equal(after.n, 1);
	assert_int_equal(after.list[0].error, 0);
	assert_int_equal(fcntl(after.list[0].fd, F_SETFL, 0), 0);
	autoclose int accepted = accept(after.list[0].fd, nullptr, nullptr);
	assert_int_equal(recv(accepted, &byte, 1, 0), 1);
	assert_int_equal(byte, 'x');
	bridge_listeners_clear(&after);
}

/* Not in the configuration any more: it ends for everybody, systemd and the bridge as well. */
static void test_unwanted(void **state)
{
	const struct place *p = *state;
	struct bridge_listeners before = {}, after = {};
	autoclose int client = -1, other = -1;

	int kept = open_and_keep(p, &before);
	autoclose int of_bridge = fcntl(kept, F_DUPFD_CLOEXEC, 0);
	bridge_listeners_clear(&before);
	bridge_store_take(&after, p->name, kept);
	assert_true(connects(p, &client));
	assert_true(bridge_listeners_update(&after, nullptr, &p->seen, false, 2));
	assert_dropped(p, p->name);
	assert_int_equal(after.n, 0);
	assert_false(connects(p, &other));
	assert_int_equal(errno, ECONNREFUSED);
	/* And again at once: what is left of the old one is not in the way. */
	close(open_and_keep(p, &after));
	bridge_listeners_clear(&after);
}

/* What cannot be used is closed, and not given again. */
static void test_unusable(void **state)
{
	const struct place *p = *state;
	struct bridge_listeners all = {};
	uint16_t port;

	assert_true(bridge_store_named(p->name));
	assert_false(bridge_store_named("ip_tables"));
	bridge_store_take(&all, "bridge-file", open("/dev/null", O_RDONLY | O_CLOEXEC));
	assert_dropped(p, "bridge-file");
	bridge_store_take(&all, "bridge-silent", loopback(&port));
	assert_dropped(p, "bridge-silent");
	int listening = loopback(&port);
	assert_int_equal(listen(listening, 1), 0);
	bridge_store_take(&all, "bridge-by-another-name", listening);
	assert_dropped(p, "bridge-by-another-name");
	assert_int_equal(fcntl(listening, F_GETFD), -1);
	assert_int_equal(all.n, 0);
}

/* Two at one address: the second one must not get a part of the connections. */
static void test_two(void **state)
{
	const struct place *p = *state;
	struct bridge_listeners first = {}, second = {}, after = {};
	autoclose int a = -1, b = -1, c = -1;

	int kept = open_and_keep(p, &first);
	assert_false(bridge_listeners_update(&second, p->config, &p->seen, false, 2));
	assert_false(bridge_listeners_update(&second, p->config, &p->seen, false, 3));
	assert_true(bridge_listeners_update(&second, p->config, &p->seen, true, 4));
	char text[256];
	int another = told(p, text, sizeof(text));
	bridge_listeners_clear(&first);
	bridge_listeners_clear(&second);

	bridge_store_take(&after, p->name, kept);
	bridge_store_take(&after, p->name, another);
	assert_int_equal(fcntl(another, F_GETFD), -1);
	assert_silent(p); /* both have the name */
	assert_int_equal(after.n, 1);
	assert_true(connects(p, &a) && connects(p, &b) && connects(p, &c));
	for (int i = 0; i < 3; i++)
		assert_int_equal(send((int[]){a, b, c}[i], "x", 1, 0), 1);
	for (int i = 0; i < 3; i++) {
		autoclose int accepted = accept(kept, nullptr, nullptr);
		assert_true(accepted >= 0);
	}
	bridge_listeners_clear(&after);
}

/* Version 6 and a name that systemd takes: no colon (systemd.service(5), FDNAME). */
static void test_version_6(void **state)
{
	struct place *p = *state;
	struct bridge_listeners all = {};
	char section[256], text[256];

	config_free(p->config);
	snprintf(section, sizeof(section),
		"lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n"
		"bridge: {listen: [\"[2001:db8::7]:%u\"], routes: [{host: a, upstream: "
		"\"http://10.0.1.50\"}]}\n",
		p->port);
	p->config = world_config(section);
	snprintf(p->name, sizeof(p->name), "bridge-[2001_db8__7]_%u", p->port);
	int kept = open_and_keep(p, &all);
	bridge_listeners_clear(&all);
	struct bridge_listeners after = {};
	bridge_store_take(&after, p->name, kept);
	assert_false(bridge_listeners_update(&after, p->config, &p->seen, false, 2));
	assert_int_equal(told(p, text, sizeof(text)), -1);
	bridge_listeners_clear(&after);
}

static void test_without_systemd(void **state)
{
	const struct place *p = *state;
	struct bridge_listeners all = {};

	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_true(bridge_listeners_update(&all, p->config, &p->seen, false, 1));
	assert_true(bridge_listeners_update(&all, nullptr, &p->seen, false, 2));
	assert_silent(p);
	bridge_listeners_clear(&all);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_restart),
		TEST(test_unwanted),
		TEST(test_unusable),
		TEST(test_two),
		TEST(test_version_6),
		TEST(test_without_systemd),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
