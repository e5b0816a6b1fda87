/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "waiting.h"
#include <stdio.h>
#include <string.h>

struct taker {
	char wants; /* packets that begin so; 0 = all */
	char got[64];
};

static bool take(void *arg, const struct packet_bytes *packet)
{
	struct taker *t = arg;
	size_t n = strlen(t->got);

	if (t->wants && packet->head[0] != (uint8_t)t->wants)
		return false;
	((uint8_t *)(uintptr_t)packet->head)[-1] = 0xff; /* it is the taker's */
	snprintf(t->got + n, sizeof(t->got) - n, "%.*s ", (int)packet->head_n,
		(const char *)packet->head);
	return true;
}

static bool keep(struct waiting *w, const char *head, const char *rest)
{
	const struct packet_bytes packet = {(const uint8_t *)head, strlen(head),
		(const uint8_t *)rest, rest ? strlen(rest) : 0};

	return waiting_keep(w, &packet);
}

/* Each goes once, to who wants it, in order. */
static void test_order(void **)
{
	struct waiting w = {};
	struct taker a = {.wants = 'a'}, all = {}, none = {};

	waiting_offer(&w, take, &none);
	assert_true(keep(&w, "a1", nullptr));
	assert_true(keep(&w, "b", "1"));
	assert_true(keep(&w, "a", "2"));
	waiting_offer(&w, take, &a);
	assert_string_equal(a.got, "a1 a2 ");
	assert_true(keep(&w, "a3", nullptr));
	waiting_offer(&w, take, &all);
	assert_string_equal(all.got, "b1 a3 ");
	waiting_offer(&w, take, &none);
	assert_string_equal(none.got, "");
	assert_true(keep(&w, "c", nullptr));
	assert_int_equal(waiting_clear(&w), 1);
	waiting_offer(&w, take, &none);
	assert_string_equal(none.got, "");
}

static void test_full(void **)
{
	static char packet[1281];
	struct waiting w = {};
	size_t n = 0;

	memset(packet, 'x', sizeof(packet) - 1);
	while (keep(&w, packet, nullptr))
		n++;
	assert_in_range(n, 100, WAITING_MAX / 1280);
	assert_in_range(w.n, 1, WAITING_MAX);
	assert_int_equal(waiting_clear(&w), n);
	assert_true(keep(&w, packet, nullptr));
	assert_int_equal(waiting_clear(&w), 1);
	assert_int_equal(waiting_clear(&w), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_full),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
