/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/condition.h"
#include "lib/log.h"
#include <string.h>

/* Scripts match the codes: lower case, digits and single dashes, each once. */
static void test_codes(void **)
{
	for (enum condition_code c = 0; c < COND_CODES; c++) {
		const char *name = condition_code_str(c);
		assert_non_null(name);
		assert_true(name[0] &&
			    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name));
		assert_null(strstr(name, "--"));
		assert_true(name[0] != '-' && name[strlen(name) - 1] != '-');
		for (enum condition_code d = 0; d < c; d++)
			assert_string_not_equal(name, condition_code_str(d));
		assert_non_null(condition_remedy(c, false));
		assert_non_null(condition_severity_str(condition_severity(c)));
	}
}

/* How many causes one behind the other; 0 = it has none. */
static unsigned depth(enum condition_code code, unsigned above)
{
	unsigned most = 0;

	assert_true(above < COND_CODES);
	for (enum condition_code d = 0; d < COND_CODES; d++)
		if (condition_follows(code, d)) {
			unsigned n = 1 + depth(d, above + 1);
			most = n > most ? n : most;
		}
	return most;
}

/* Following the causes ends. */
static void test_causes(void **)
{
	for (enum condition_code c = 0; c < COND_CODES; c++)
		assert_true(depth(c, 0) < 8);
}

/* Without any edge: what dialling met with is the cause. */
static void test_causes_of_a_tunnel(void **)
{
	assert_true(condition_follows(COND_TUNNEL_DISCONNECTED, COND_TUNNEL_NOT_ATTACHED));
	assert_true(condition_follows(COND_TUNNEL_DISCONNECTED, COND_TUNNEL_EDGE_UNREACHED));
	assert_true(condition_follows(COND_TUNNEL_DISCONNECTED, COND_TUNNEL_PATH_NARROW));
	assert_true(condition_follows(COND_TUNNEL_PEER_SILENT, COND_TUNNEL_EDGE_UNREACHED));
	assert_false(condition_follows(COND_TUNNEL_EDGE_UNREACHED, COND_TUNNEL_DISCONNECTED));
	assert_false(condition_follows(COND_TUNNEL_DISCONNECTED, COND_TUNNEL_PATH_LOSSY));
}

/* An error says what to do, and to the program that there is. */
static void test_remedies(void **)
{
	for (enum condition_code c = 0; c < COND_CODES; c++) {
		if (condition_severity(c) == COND_ERROR)
			assert_true(strlen(condition_remedy(c, false)) > 10);
		assert_null(strstr(condition_remedy(c, true), "warp-"));
	}
	assert_non_null(strstr(condition_remedy(COND_TUNNEL_QUEUE_FULL, false), "warp-svc"));
	assert_non_null(strstr(condition_remedy(COND_TUNNEL_QUEUE_FULL, true), "meshgw-tunnel"));
}

static void test_commit(void **)
{
	struct conditions current = {}, next = {};

	conditions_add(&next, COND_STATE_CONTESTED, "route b", "b");
	conditions_add(&next, COND_TUNNEL_INTERFACE_DOWN, "tun", "first");
	conditions_add(&next, COND_TUNNEL_INTERFACE_DOWN, "tun", "second");
	conditions_add(&next, COND_STATE_CONTESTED, "route a", "a");
	conditions_commit(&current, &next, 1000);
	assert_int_equal(next.n, 0);
	assert_null(next.list);
	assert_int_equal(current.n, 3);
	assert_int_equal(current.list[0].code, COND_TUNNEL_INTERFACE_DOWN);
	assert_string_equal(current.list[1].subject, "route a");
	assert_string_equal(current.list[2].subject, "route b");
	assert_null(conditions_find(&current, COND_STATE_CONTESTED, "route c"));

	/* What goes on keeps its beginning, whatever the clock says now. */
	conditions_add(&next, COND_STATE_CONTESTED, "route b", "other words");
	conditions_add(&next, COND_STATE_CONTESTED, "route c", "c");
	conditions_commit(&current, &next, 10);
	assert_int_equal(current.n, 2);
	const struct condition *b = conditions_find(&current, COND_STATE_CONTESTED, "route b");
	assert_int_equal(b->since_us, 1000);
	assert_string_equal(b->message, "other words");
	const struct condition *c = conditions_find(&current, COND_STATE_CONTESTED, "route c");
	assert_int_equal(c->since_us, 10);

	/* What went and comes back begins anew. */
	conditions_commit(&current, &next, 20);
	assert_int_equal(current.n, 0);
	conditions_add(&next, COND_STATE_CONTESTED, "route b", "b");
	conditions_commit(&current, &next, 30);
	assert_int_equal(current.list[0].since_us, 30);
	conditions_clear(&current);
}

static void test_long(void **)
{
	struct conditions set = {};
	char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	conditions_add(&set, COND_ROUTE_REFUSED, text, "%s", text);
	assert_int_equal(strlen(set.list[0].subject), sizeof(set.list[0].subject) - 1);
	assert_int_equal(strlen(set.list[0].message), sizeof(set.list[0].message) - 1);
	conditions_clear(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_causes_of_a_tunnel),
		cmocka_unit_test(test_remedies),
		cmocka_unit_test(test_commit),
		cmocka_unit_test(test_long),
	};

	log_set_level(LOG_CRIT);
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
