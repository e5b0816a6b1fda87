/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wall around the HTTP bridge, in a kernel: whom its user can begin to talk to, what others
 * can, and that it answers whoever talks to it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nft_world.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { BRIDGE = 4711, OPENER, OTHER };                   /* users */
enum { PORT = 8080, UPSTREAM = 3000, ELSEWHERE = 3001 }; /* ports */

static struct sockaddr_in at(const char *address, uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};

	assert_int_equal(inet_pton(AF_INET, address, &sin.sin_addr), 1);
	return sin;
}

static int listen_on(const char *address, uint16_t port)
{
	struct sockaddr_in sin = at(address, port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

/* What do() says as this user, an errno; 255 = it did not come that far. */
static int as(uint32_t uid, int (*act)(const void *arg), const void *arg)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0 ? 255
										   : act(arg));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int try_connect(int fd, const struct sockaddr_in *to)
{
	int error = connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0 ? errno : 0;

	close(fd);
	return error;
}

static int do_connect(const void *to)
{
	return try_connect(socket(AF_INET, SOCK_STREAM, 0), to);
}

/* The error of a datagram comes with the next call. */
static int do_datagram(const void *arg)
{
	const struct sockaddr_in *to = arg;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char byte;

	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0 || send(fd, "x", 1, 0) < 0 ||
		recv(fd, &byte, 1, MSG_DONTWAIT) < 0)
		return errno;
	return 0;
}

/* A listening socket that was given becomes one that connects. */
struct turned {
	int fd;
	struct sockaddr_in to;
};

static int do_turn(const void *arg)
{
	static const struct sockaddr none = {.sa_family = AF_UNSPEC};
	const struct turned *t = arg;

	if (connect(t->fd, &none, sizeof(none)) < 0)
		return 254;
	return try_connect(t->fd, &t->to);
}

static void replace(struct nft_world *w)
{
	static struct nft_model m;
	static struct nft_allow upstream;
	static const uint16_t ports[] = {PORT};

	m = *nft_model("bridge");
	upstream = nft_models_allow("0.0.0.0/0 127.0.0.1 tcp 3000");
	m.bridge_uid = BRIDGE;
	m.bridge_opener = OPENER;
	m.upstreams = &upstream;
	m.n_upstreams = 1;
	m.bridge_ports = ports;
	m.n_bridge_ports = COUNT(ports);
	nft_world_replace(w, &m);
}

static void test_connect(void **state)
{
	struct nft_world *w = *state;
	int upstream = listen_on("127.0.0.1", UPSTREAM), other = listen_on("127.0.0.1", ELSEWHERE);
	const struct sockaddr_in to = at("127.0.0.1", UPSTREAM);
	const struct {
		uint32_t uid;
		struct sockaddr_in to;
		int error;
	} cases[] = {
		{BRIDGE, to, 0},
		{BRIDGE, at("127.0.0.1", ELSEWHERE), EHOSTUNREACH},
		{BRIDGE, at("127.0.0.1", 1), EHOSTUNREACH}, /* not even that nothing is there */
		{BRIDGE, at("127.0.0.2", UPSTREAM), EHOSTUNREACH},
		{BRIDGE, at("10.0.1.11", UPSTREAM), EHOSTUNREACH},
		{BRIDGE, at("100.64.0.1", 80), EHOSTUNREACH},
		{OTHER, to, 0},
		{OTHER, at("127.0.0.1", ELSEWHERE), 0},
		{OTHER, at("127.0.0.1", 1), ECONNREFUSED},
		{OPENER, at("127.0.0.1", ELSEWHERE), 0},
	};

	replace(w);
	for (size_t i = 0; i < COUNT(cases); i++)
		if (as(cases[i].uid, do_connect, &cases[i].to) != cases[i].error)
			fail_msg("case %zu", i);
	/* A SYN whose sender is still inside of connect(2) is told with the next one. */
	assert_true(nft_world_packets(w, NFT_COUNTER_BRIDGE_DENIED) >= 5);
	close(upstream);
	close(other);
}

static void test_datagrams(void **state)
{
	const struct sockaddr_in to = at("127.0.0.1", UPSTREAM);

	replace(*state);
	assert_int_equal(as(OTHER, do_datagram, &to), ECONNREFUSED); /* nobody is there */
	assert_int_equal(as(BRIDGE, do_datagram, &to), EPERM);
}

/* The packets of an accepted socket carry the acceptor's user. */
static int do_answer(const void *arg)
{
	int fd = accept(*(const int *)arg, nullptr, nullptr);

	return fd < 0 || send(fd, "x", 1, 0) != 1 ? 1 : 0;
}

static void test_answers(void **state)
{
	int listener = listen_on("127.0.0.1", PORT), client = socket(AF_INET, SOCK_STREAM, 0);
	const struct sockaddr_in to = at("127.0.0.1", PORT);
	struct pollfd p = {.fd = client, .events = POLLIN};
	char byte;

	replace(*state);
	assert_int_equal(connect(client, (const struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(as(BRIDGE, do_answer, &listener), 0);
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(recv(client, &byte, 1, 0), 1);
	close(listener);
	close(client);
}

static int opened;

/* Its file is this user's from then on. */
static int do_open(const void *arg)
{
	const int *pipe_end = arg;
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = {(char[]){'x'}, 1};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int fd = listen_on("127.0.0.1", PORT);

	*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(*pipe_end, &m, 0) == 1 ? 0 : 1;
}

static int receive(int from)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};

	assert_int_equal(recvmsg(from, &m, MSG_CMSG_CLOEXEC), 1);
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (!c)
		fail_msg("no descriptor came");
	else
		memcpy(&opened, CMSG_DATA(c), sizeof(opened));
	return opened;
}

static void test_turned_listener(void **state)
{
	int elsewhere = listen_on("127.0.0.1", ELSEWHERE), pair[2];
	struct turned t = {.to = at("127.0.0.1", ELSEWHERE)};

	/* Without the wall it works, which is why there is one. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(as(OPENER, do_open, &pair[1]), 0);
	t.fd = receive(pair[0]);
	assert_int_equal(as(BRIDGE, do_turn, &t), 0);
	close(t.fd);

	replace(*state);
	assert_int_equal(as(OPENER, do_open, &pair[1]), 0);
	t.fd = receive(pair[0]);
	t.to = at("127.0.0.3", ELSEWHERE); /* the first connection may linger */
	assert_int_equal(as(BRIDGE, do_turn, &t), EHOSTUNREACH);
	close(t.fd);
	close(elsewhere);
	close(pair[0]);
	close(pair[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, nft_world_setup, nft_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_connect),
		TEST(test_datagrams),
		TEST(test_answers),
		TEST(test_turned_listener),
	};

	if (!netns_may() || geteuid() != 0)
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
