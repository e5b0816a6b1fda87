/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/json.h"
#include "lib/own.h"
#include "verdict/fact_table.h"
#include <errno.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#if defined(__has_builtin)
#if __has_builtin(__builtin_clear_padding)
#define CLEAR_PADDING(p) __builtin_clear_padding(p)
#endif
#endif

[[maybe_unused]] static void check_covered(
	enum fact_kind kind, const unsigned char *mask, size_t size)
{
	unsigned char seen[sizeof(struct fact)] = {};

	for (const struct field *f = fact_shapes[kind].fields; f->name; f++)
		memset(seen + f->offset, 1, f->size);
	for (size_t i = 0; i < size; i++)
		if (mask[i] && !seen[i])
			fail_msg("%s: the member at byte %zu is in no row", fact_kind_str(kind), i);
}

/* A member that is not in the table would be lost in every record. */
static void test_every_member_has_a_row(void **)
{
#ifdef CLEAR_PADDING
#define CHECK(kind, type)                                                  \
	do {                                                               \
		struct type mask;                                          \
		memset(&mask, 0xff, sizeof(mask));                         \
		CLEAR_PADDING(&mask);                                      \
		check_covered(kind, (unsigned char *)&mask, sizeof(mask)); \
	} while (0)
	CHECK(FACT_LINK, fact_link);
	CHECK(FACT_SYSCTL, fact_sysctl);
	CHECK(FACT_LOOKUP, fact_lookup);
	CHECK(FACT_NEIGHBOUR, fact_neighbour);
	CHECK(FACT_PACKET, fact_packet);
	CHECK(FACT_ICMP, fact_icmp);
	CHECK(FACT_DROP, fact_drop);
	CHECK(FACT_CALL, fact_call);
	CHECK(FACT_TRACE, fact_trace);
	CHECK(FACT_CHAIN, fact_chain);
	CHECK(FACT_COUNTER, fact_counter);
	CHECK(FACT_CONNTRACK, fact_conntrack);
	CHECK(FACT_PROBE, fact_probe);
	CHECK(FACT_L7, fact_l7);
	CHECK(FACT_BGP, fact_bgp);
	CHECK(FACT_BGP_NEIGHBOUR, fact_bgp_neighbour);
	CHECK(FACT_BGP_PREFIX, fact_bgp_prefix);
	CHECK(FACT_CONFIG, fact_config);
	CHECK(FACT_CONDITION, fact_condition);
	CHECK(FACT_SOCKET, fact_socket);
	CHECK(FACT_PLATFORM, fact_platform);
	CHECK(FACT_MISSING, fact_missing);
#undef CHECK
#else
	skip();
#endif
}

static struct addr A(const char *text) {
	struct addr a = {};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* Something told in every member. */
static void
fill(struct fact *fact)
{
	int64_t number = 1000;
	uint32_t last;

	for (const struct field *f = fact_shapes[fact->kind].fields; f->name; f++) {
		char *at = (char *)fact_base(fact) + f->offset;
		switch (f->type) {
		case FIELD_BOOL:
			*(bool *)at = true;
			break;
		case FIELD_INT:
			number = -number - 1;
			memcpy(at, &number, sizeof(number));
			break;
		case FIELD_NAMED:
			last = (uint32_t)f->n_names - 1;
			memcpy(at, &last, sizeof(last));
			break;
		case FIELD_TEXT:
			memset(at, 'x', f->size - 1);
			break;
		case FIELD_ADDR:
			*(struct addr *)at = A("2001:db8::7");
			break;
		case FIELD_PREFIX:
			*(struct prefix *)at = (struct prefix){A("10.1.2.0"), 24};
			break;
		case FIELD_UINT:
			fail();
		}
	}
}

static void check_round_trip(const struct fact *f)
{
	autojson sd_json_variant *v = nullptr, *parsed = nullptr;
	autofree char *text = nullptr;
	struct fact again;
	struct err err;

	assert_int_equal(fact_to_json(f, &v), 0);
	assert_true(sd_json_variant_format(v, 0, &text) > 0);
	assert_int_equal(sd_json_parse(text, 0, &parsed, nullptr, nullptr), 0);
	if (fact_from_json(parsed, &again, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	for (const struct field *row = fact_shapes[f->kind].fields; row->name; row++)
		assert_memory_equal((const char *)fact_base_const(f) + row->offset,
			(const char *)fact_base_const(&again) + row->offset, row->size);
}

static void test_round_trip(void **)
{
	for (enum fact_kind kind = 0; kind < FACT_KINDS; kind++) {
		struct fact f;
		fact_init(&f, kind);
		check_round_trip(&f);
		fill(&f);
		check_round_trip(&f);
	}
}

static int read_text(const char *text, struct fact *out, struct err *err)
{
	autojson sd_json_variant *v = nullptr;

	assert_int_equal(sd_json_parse(text, 0, &v, nullptr, nullptr), 0);
	return fact_from_json(v, out, err);
}

static void test_not_told(void **)
{
	struct fact f;
	struct err err = {};

	assert_int_equal(
		read_text("{\"kind\":\"trace\",\"origin\":\"real\",\"later\":[1,{}]}", &f, &err),
		0);
	assert_int_equal(f.kind, FACT_TRACE);
	assert_int_equal(f.trace.origin, ORIGIN_REAL);
	assert_int_equal(f.trace.handle, -1);
	assert_int_equal(f.trace.priority, 0);
	assert_string_equal(f.trace.table, "");
	assert_false(f.trace.fib);

	assert_int_equal(read_text("{\"kind\":\"neighbour\"}", &f, &err), 0);
	assert_int_equal(f.neighbour.address.family, AF_UNSPEC);
}

static void test_refused(void **)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"{}", "a fact of no known kind"},
		{"[]", "a fact of no known kind"},
		{"{\"kind\":7}", "a fact of no known kind"},
		{"{\"kind\":\"gossip\"}", "a fact of no known kind"},
		{"{\"kind\":\"link\"}", "link: role: missing"},
		{"{\"kind\":\"link\",\"role\":\"queen\"}", "link: role: no such name"},
		{"{\"kind\":\"link\",\"role\":1}", "link: role: no text"},
		{"{\"kind\":\"link\",\"role\":\"lan\",\"up\":1}",
			"link: up: neither true nor false"},
		{"{\"kind\":\"link\",\"role\":\"lan\",\"mtu\":\"1500\"}",
			"link: mtu: no number, or too large"},
		{"{\"kind\":\"link\",\"role\":\"lan\",\"mtu\":1.5}",
			"link: mtu: no number, or too large"},
		{"{\"kind\":\"link\",\"role\":\"lan\",\"mtu\":18446744073709551615}",
			"link: mtu: no number, or too large"},
		{"{\"kind\":\"link\",\"role\":\"lan\",\"mtu\":null}",
			"link: mtu: no number, or too large"},
		{"{\"kind\":\"link\",\"role\":\"lan\",\"interface\":\"a-name-of-16-byte\"}",
			"link: interface: 17 bytes, at most 15 fit"},
		{"{\"kind\":\"neighbour\",\"address\":\"10.0.1\"}",
			"neighbour: address: no address"},
		{"{\"kind\":\"lookup\",\"question\":\"forward\",\"match\":\"10.0.1.0\"}",
			"lookup: match: no address"},
		{"{\"kind\":\"lookup\",\"question\":\"forward\",\"match\":\"10.0.1.0/33\"}",
			"lookup: match: no address"},
		{"{\"kind\":\"lookup\",\"question\":\"forward\",\"match\":\"10.0.1.0/08\"}",
			"lookup: match: no address"},
		{"{\"kind\":\"lookup\",\"question\":\"forward\",\"match\":\"/8\"}",
			"lookup: match: no address"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fact f = {.kind = FACT_BGP};
		struct err err = {};
		assert_true(read_text(cases[i].text, &f, &err) < 0);
		assert_string_equal(err.msg, cases[i].want);
		assert_int_equal(f.kind, FACT_BGP); /* written on success only */
	}
}

/* What a packet or another program can bring about must not make a record unreadable. */
static void test_any_bytes(void **)
{
	struct fact f;

	fact_init(&f, FACT_ICMP);
	f.icmp.sender = (struct addr){AF_INET6, {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}};
	check_round_trip(&f);

	fact_init(&f, FACT_LINK);
	memcpy(f.link.interface, "\xff\xc3\xa9\xed\xa0\x80\xf4\x90\x80\x80\xc3", 12);
	autojson sd_json_variant *v = nullptr;
	assert_int_equal(fact_to_json(&f, &v), 0);
	assert_string_equal(sd_json_variant_string(sd_json_variant_by_key(v, "interface")),
		"?\xc3\xa9????????");
	struct fact again;
	struct err err = {};
	assert_int_equal(fact_from_json(v, &again, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_member_has_a_row),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_not_told),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_any_bytes),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
