/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "quic/late.h"

constexpr uint64_t MS = 1'000'000;
constexpr uint64_t BEGIN = 1000 * MS;

static uint64_t send_one(struct quic_late *l)
{
	uint64_t mark = quic_late_mark(l);

	quic_late_sent(l);
	return mark;
}

/* Overtaken, called lost, and there all the same. */
static void test_overtaken(void **)
{
	struct quic_late l = {};

	for (unsigned i = 0; i < 1000; i++) {
		uint64_t mark = send_one(&l);
		quic_late_lost(&l, mark, BEGIN + i * MS);
		quic_late_acknowledged(&l, mark, BEGIN + (i + 20) * MS);
	}
	assert_int_equal(l.sent, 1000);
	assert_int_equal(quic_late_count(&l, BEGIN + 60'000 * MS), 0);
	assert_int_equal(l.late, 1000);
}

static void test_lost(void **)
{
	struct quic_late l = {};

	for (unsigned i = 0; i < 1000; i++) {
		uint64_t mark = send_one(&l);
		if (i % 10 == 0)
			quic_late_lost(&l, mark, BEGIN + i * MS);
		else
			quic_late_acknowledged(&l, mark, BEGIN + i * MS);
	}
	assert_true(quic_late_count(&l, BEGIN + 1000 * MS) < 100);
	assert_int_equal(quic_late_count(&l, BEGIN + 2000 * MS), 100);
}

/* More at once than are known: none is forgotten. */
static void test_burst(void **)
{
	struct quic_late l = {};

	for (unsigned i = 0; i < 50'000; i++)
		quic_late_lost(&l, send_one(&l), BEGIN);
	assert_int_equal(quic_late_count(&l, BEGIN), 50'000 - QUIC_LATE_KNOWN);
	assert_int_equal(quic_late_count(&l, BEGIN + 1000 * MS), 50'000);
}

/* What has been counted stays so. */
static void test_too_late(void **)
{
	struct quic_late l = {};
	uint64_t mark = send_one(&l);

	quic_late_lost(&l, mark, BEGIN);
	assert_int_equal(quic_late_count(&l, BEGIN + 499 * MS), 0);
	assert_int_equal(quic_late_count(&l, BEGIN + 500 * MS), 1);
	quic_late_acknowledged(&l, mark, BEGIN + 501 * MS);
	assert_int_equal(quic_late_count(&l, BEGIN + 501 * MS), 1);
}

/* The bits of others mean nothing here, and an acknowledgement is for its own datagram. */
static void test_marks(void **)
{
	struct quic_late l = {};
	uint64_t first = send_one(&l);

	quic_late_lost(&l, first | 0xffff'ffff'8000'ffff, BEGIN);
	for (unsigned i = 0; i < QUIC_LATE_KNOWN - 1; i++)
		send_one(&l);
	quic_late_acknowledged(&l, send_one(&l), BEGIN);
	assert_int_equal(quic_late_count(&l, BEGIN + 1000 * MS), 1);
	quic_late_acknowledged(&l, first | 0x1234, BEGIN);
	assert_int_equal(quic_late_count(&l, BEGIN + 1000 * MS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overtaken),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_too_late),
		cmocka_unit_test(test_marks),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
