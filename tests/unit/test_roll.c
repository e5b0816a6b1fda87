/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roll: what one process wrote is found by the next, whatever the first one did.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "roll.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

constexpr off_t BYTES = 4096;

static int memory(off_t bytes)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	return fd;
}

static struct roll *open_roll(int fd)
{
	struct roll *r = nullptr;
	struct err err = {};

	if (roll_open(fcntl(fd, F_DUPFD_CLOEXEC, 3), &r, &err) < 0)
		fail_msg("%s", err.msg);
	return r;
}

static struct quic_trace somebody(in_port_t port)
{
	struct quic_trace t = {.id = {1, 2, 3, (uint8_t)port}};

	t.path.local.in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(443)};
	t.path.remote.in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
	return t;
}

static in_port_t port_of(const struct quic_trace *t)
{
	return ntohs(t->path.remote.in.sin_port);
}

static void test_next_process(void **)
{
	int fd = memory(BYTES);
	struct roll *r = open_roll(fd);
	struct quic_trace t = somebody(1);
	unsigned lines[3];

	assert_int_equal(roll_former(r, 0, &t), ROLL_NONE);
	for (unsigned i = 0; i < 3; i++) {
		t = somebody((in_port_t)(100 + i));
		lines[i] = roll_enter(r, &t);
	}
	roll_strike(r, lines[1]);
	t = somebody(200);
	roll_change(r, lines[2], &t);
	assert_int_equal(roll_former(r, 0, &t), ROLL_NONE); /* its own are no former ones */
	roll_close(r);

	r = open_roll(fd);
	unsigned first = roll_former(r, 0, &t);
	assert_int_equal(first, lines[0]);
	assert_int_equal(port_of(&t), 100);
	assert_int_equal(t.id[3], 100);
	assert_int_equal(roll_former(r, first + 1, &t), lines[2]);
	assert_int_equal(port_of(&t), 200);
	assert_int_equal(roll_former(r, lines[2] + 1, &t), ROLL_NONE);
	/* Somebody new does not take a line that is in use. */
	t = somebody(300);
	assert_int_equal(roll_enter(r, &t), lines[1]);
	roll_strike(r, first);
	assert_int_equal(roll_former(r, 0, &t), lines[2]);
	roll_close(r);
	close(fd);
}

static void test_full(void **)
{
	int fd = memory(BYTES);
	struct roll *r = open_roll(fd);
	struct quic_trace t = somebody(1);
	unsigned n = 0;

	while (roll_enter(r, &t) != ROLL_NONE)
		n++;
	assert_in_range(n, 40, 64);
	roll_strike(r, 7);
	assert_int_equal(roll_enter(r, &t), 7);
	assert_int_equal(roll_enter(r, &t), ROLL_NONE);
	roll_strike(r, ROLL_NONE);
	roll_change(r, ROLL_NONE, &t);
	roll_close(r);
	close(fd);
}

/* Nobody knows what was in there. */
static void test_nonsense(void **)
{
	uint8_t bytes[BYTES];
	struct quic_trace t = somebody(1);
	int fd = memory(BYTES);

	memset(bytes, 0xa5, sizeof(bytes));
	assert_int_equal(pwrite(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	struct roll *r = open_roll(fd);
	assert_int_equal(roll_former(r, 0, &t), ROLL_NONE);
	assert_int_equal(roll_enter(r, &t), 0);
	roll_close(r);
	/* The layout is right, and the lines are not. */
	assert_int_equal(pwrite(fd, bytes, sizeof(bytes) - 512, 512), sizeof(bytes) - 512);
	r = open_roll(fd);
	assert_int_equal(roll_former(r, 0, &t), 0);
	assert_int_equal(roll_former(r, 1, &t), ROLL_NONE);
	roll_close(r);
	close(fd);
}

static void test_no_memory(void **)
{
	struct roll *r = nullptr;
	struct err err = {};

	assert_true(roll_open(memory(8), &r, &err) < 0);
	assert_true(roll_open(dup(STDERR_FILENO), &r, &err) < 0);
	assert_null(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next_process),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
