/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many connections an upstream has: alone, and by threads that take, rest, wake and leave as
 * fast as they can. A connection is a pair of sockets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/seats.h"
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
	struct seat seat;
	int ends[2];
};

static bool begin(struct connection *c, struct seats *s, unsigned limit)
{
	if (!seat_take(&c->seat, s, limit))
		return false;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, c->ends), 0);
	return true;
}

static void finish(struct connection *c)
{
	seat_leave(&c->seat);
	close(c->ends[0]);
	close(c->ends[1]);
}

static bool is_shut_down(const struct connection *c)
{
	char byte;
	return recv(c->ends[1], &byte, 1, MSG_DONTWAIT) == 0;
}

static void test_limit(void **)
{
	struct seat_table *t = seat_table_new();
	struct seats *s = seats_get(t, "http://a"), *same = seats_get(t, "http://a"),
		     *other = seats_get(t, "http://b");
	struct connection a = {}, b = {}, c = {}, d = {};

	assert_ptr_equal(s, same);
	assert_ptr_not_equal(s, other);
	assert_true(begin(&a, s, 2));
	assert_true(begin(&b, same, 2));
	assert_false(begin(&c, s, 2));
	assert_true(begin(&d, other, 2));
	finish(&a);
	assert_true(begin(&c, s, 2));
	/* The limit was lowered: what there is stays. */
	assert_false(begin(&a, s, 1));
	finish(&b);
	finish(&c);
	finish(&d);
	seats_put(s);
	seats_put(same);
	seats_put(other);
	seat_table_free(t);
}

/* The one that has been there longest is given up, and none that is in use. */
static void test_rest(void **)
{
	struct seat_table *t = seat_table_new();
	struct seats *s = seats_get(t, "http://a");
	struct connection a = {}, b = {}, c = {}, d = {};

	assert_true(begin(&a, s, 3) && begin(&b, s, 3) && begin(&c, s, 3));
	seat_rest(&b.seat, b.ends[0]);
	seat_rest(&c.seat, c.ends[0]);
	assert_true(seat_wake(&b.seat));
	seat_rest(&b.seat, b.ends[0]);
	assert_true(begin(&d, s, 3));
	assert_true(is_shut_down(&b));
	assert_false(is_shut_down(&a) || is_shut_down(&c));
	assert_false(seat_wake(&b.seat));
	finish(&b); /* which does not count a second time */
	assert_true(seat_wake(&c.seat));
	assert_false(begin(&b, s, 3));
	finish(&a);
	finish(&c);
	finish(&d);
	seats_put(s);
	seat_table_free(t);
}

constexpr unsigned LIMIT = 4;
constexpr unsigned THREADS = 4;

struct crowd {
	struct seat_table *table;
	atomic_uint busy;
	atomic_bool over;
};

/* Two connections of each thread, more than there may be of all. */
static void *jostle(void *arg)
{
	struct crowd *all = arg;
	struct seats *s = seats_get(all->table, "http://a");
	struct connection c[2] = {};
	bool has[2] = {};

	for (unsigned i = 0; i < 4000; i++) {
		struct connection *one = &c[i % 2];
		if (has[i % 2] && !seat_wake(&one->seat)) {
			finish(one);
			has[i % 2] = false;
		}
		if (!has[i % 2])
			has[i % 2] = begin(one, s, LIMIT);
		if (!has[i % 2])
			continue;
		if (atomic_fetch_add(&all->busy, 1) >= LIMIT)
			atomic_store(&all->over, true);
		atomic_fetch_sub(&all->busy, 1);
		seat_rest(&one->seat, one->ends[0]);
	}
	for (unsigned i = 0; i < 2; i++)
		if (has[i])
			finish(&c[i]);
	seats_put(s);
	return nullptr;
}

static void test_threads(void **)
{
	struct crowd all = {.table = seat_table_new()};
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], nullptr, jostle, &all), 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], nullptr), 0);
	assert_false(all.over);
	seat_table_free(all.table); /* it is empty */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
