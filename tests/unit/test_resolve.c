/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A resolver that answers late: what it works on must outlive the question. The functions of
 * netdb.h that resolve.c calls are these here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probe/resolve.h"
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

static struct gaicb *under_way;
static int status, cancelled;

int getaddrinfo_a(int, struct gaicb *list[], int, struct sigevent *)
{
	under_way = list[0];
	return 0;
}

int gai_suspend(const struct gaicb *const[], int, const struct timespec *)
{
	return EAI_AGAIN;
}

int gai_error(struct gaicb *)
{
	return status;
}

int gai_cancel(struct gaicb *)
{
	return cancelled;
}

static size_t ask(struct evidence *e)
{
	struct addr out[RESOLVE_MAX];
	char name[] = "service.example";
	size_t n = resolve_name(name, 1000, out, e);

	memset(name, 0, sizeof(name));
	return n;
}

/* What comes after it on the same stack. */
[[gnu::noinline]] static void scribble(void)
{
	volatile char stack[8192];
	for (size_t i = 0; i < sizeof(stack); i++)
		stack[i] = 0x5a;
}

static void test_late(void **)
{
	struct evidence e = {};
	size_t at = 0;

	status = EAI_INPROGRESS;
	cancelled = EAI_NOTCANCELED;
	assert_int_equal(ask(&e), 0);
	scribble();
	assert_string_equal(under_way->ar_name, "service.example");
	assert_int_equal(under_way->ar_request->ai_socktype, SOCK_STREAM);
	const struct fact *f = evidence_next(&e, FACT_L7, &at);
	assert_true(f->l7.ask == L7_DNS && f->l7.outcome == L7_RESOLVER);
	assert_string_equal(f->l7.text, "no answer in time");
	evidence_clear(&e);
	free(under_way);
}

static void test_cancelled(void **)
{
	struct evidence e = {};

	status = EAI_INPROGRESS;
	cancelled = EAI_CANCELED;
	assert_int_equal(ask(&e), 0);
	evidence_clear(&e);
}

/* What is said of the name, and what of who was asked. */
static void test_outcomes(void **)
{
	static const struct {
		int status;
		enum fact_l7_outcome outcome;
	} cases[] = {{EAI_NONAME, L7_NAME}, {EAI_NODATA, L7_NAME}, {EAI_AGAIN, L7_RESOLVER},
		{EAI_FAIL, L7_RESOLVER}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct evidence e = {};
		size_t at = 0;
		status = cases[i].status;
		assert_int_equal(ask(&e), 0);
		assert_int_equal(evidence_next(&e, FACT_L7, &at)->l7.outcome, cases[i].outcome);
		evidence_clear(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_outcomes),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
