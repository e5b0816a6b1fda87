/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nft/ without a kernel: how an allow list is spread over sets, how a transaction is framed, what
 * the table mentions, and what a digest sees.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/xmalloc.h"
#include "nft/allow.h"
#include "nft/attr.h"
#include "nft/digest.h"
#include "nft/nftnl.h"
#include "nft/read.h"
#include "nft/table.h"
#include "nft_models.h"
#include <arpa/inet.h>
#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_counter_names(void **)
{
	for (enum nft_counter a = 0; a < NFT_COUNTERS; a++)
		for (enum nft_counter b = a + 1; b < NFT_COUNTERS; b++)
			assert_string_not_equal(nft_counter_str(a), nft_counter_str(b));
	assert_string_equal(nft_counter_str(NFT_COUNTER_DENIED), "denied");
}

/* Ranges 100.64.0.0/12 and 100.96.0.0/12, and this list, sorted. */
static void sort_texts(const char *const *texts, struct nft_allow_sets *out)
{
	struct nft_allow list[16];
	struct nft_model m = {.ranges = nft_model("route")->ranges, .n_ranges = 2, .allow = list};

	for (; texts[m.n_allow]; m.n_allow++)
		list[m.n_allow] = nft_models_allow(texts[m.n_allow]);
	nft_allow_sort(&m, out);
}

static void sets_str(const struct nft_allow_sets *s, char *buf, size_t size)
{
	int n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < s->n; i++)
		n += snprintf(buf + n, size - (size_t)n, "%s%s%zu", i ? " " : "",
			s->sets[i].exact ? "=" : "~", s->sets[i].n);
}

/* "=2" is an exact set of two entries, "~1" an interval set of one. */
static void test_allow_sets(void **)
{
	static const struct {
		const char *name;
		const char *in[6];
		const char *want;
	} cases[] = {
		{"nothing", {}, ""},
		{"exact, a set for each range",
			{"100.64.0.0/12 10.0.1.50 tcp 80", "100.96.0.0/12 10.0.1.50 tcp 80",
				"100.64.0.0/12 10.0.1.51 tcp 80"},
			"=2 =1"},
		{"twice the same",
			{"100.64.0.0/12 10.0.1.50 tcp 80", "100.64.0.0/12 10.0.1.50 tcp 80"}, "=1"},
		{"part of a range is no whole range", {"100.64.0.0/13 10.0.1.50 tcp 80"}, "~1"},
		{"a network is no host", {"100.64.0.0/12 10.0.1.0/31 tcp 80"}, "~1"},
		{"several ports", {"100.64.0.0/12 10.0.1.50 tcp 80-81"}, "~1"},
		{"no port", {"100.64.0.0/12 10.0.1.50 icmp"}, "~1"},
		{"any protocol", {"100.64.0.0/12 10.0.1.50 any"}, "~1"},
		{"overlapping and touching ports are united",
			{"100.64.0.0/12 10.0.1.0/24 tcp 80-90",
				"100.64.0.0/12 10.0.1.0/24 tcp 85-99",
				"100.64.0.0/12 10.0.1.0/24 tcp 100",
				"100.64.0.0/12 10.0.1.0/24 tcp 102"},
			"~2"},
		{"ports up to the last one",
			{"100.64.0.0/12 10.0.1.0/24 tcp 80-65535",
				"100.64.0.0/12 10.0.1.0/24 tcp 65535"},
			"~1"},
		{"inside another",
			{"100.64.0.0/13 10.0.1.0/24 tcp 80", "100.64.0.0/12 10.0.0.0/8 tcp 80-90"},
			"~1"},
		{"inside another of any protocol",
			{"100.64.0.0/12 10.0.1.0/24 icmp", "100.64.0.0/12 10.0.1.0/24 any"}, "~1"},
		{"overlap of ports in nested networks",
			{"100.64.0.0/12 10.0.1.0/24 tcp 80-90",
				"100.64.0.0/12 10.0.0.0/8 tcp 85-99"},
			"~1 ~1"},
		{"crossing: wider in one field, narrower in the other",
			{"100.64.0.0/12 10.0.1.0/24 tcp 80-90",
				"100.64.0.0/16 10.0.0.0/8 tcp 80-90"},
			"~1 ~1"},
		{"a protocol inside any, in another network",
			{"100.64.0.0/12 10.0.1.50 any", "100.64.0.0/12 10.0.0.0/8 tcp 80-90"},
			"~1 ~1"},
		{"a chain of overlaps takes two sets, not three",
			{"100.64.0.0/12 10.0.0.0/8 tcp 80-90",
				"100.64.0.0/12 10.0.0.0/16 tcp 85-99",
				"100.64.0.0/12 10.0.0.0/24 tcp 95-110"},
			"~2 ~1"},
		{"a clique takes as many as it has members",
			{"100.64.0.0/12 10.0.0.0/8 tcp 80-90",
				"100.64.0.0/12 10.0.0.0/16 tcp 85-99",
				"100.64.0.0/12 10.0.0.0/24 tcp 79-86"},
			"~1 ~1 ~1"},
		{"neighbours do not overlap",
			{"100.64.0.0/12 10.0.0.0/24 tcp 80", "100.64.0.0/12 10.0.1.0/24 tcp 80",
				"100.96.0.0/12 10.0.0.0/24 tcp 80",
				"100.64.0.0/12 10.0.0.0/24 udp 80"},
			"~4"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct nft_allow_sets s;
		char got[64];

		sort_texts(cases[i].in, &s);
		sets_str(&s, got, sizeof(got));
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: got \"%s\", want \"%s\"", cases[i].name, got, cases[i].want);
		nft_allow_sets_clear(&s);
	}
}

/* A small universe, so that random entries overlap in every way. */
static uint32_t below(uint32_t n)
{
	static uint64_t x = 42;

	x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(x >> 33) % n;
}

static struct prefix random_prefix(uint8_t base)
{
	uint8_t len = (uint8_t)(28 + below(5));
	struct prefix p = {
		.addr = {.family = AF_INET, .b = {base, 0, 0, (uint8_t)(below(16) >> (32 - len))}},
		.len = len,
	};

	p.addr.b[3] = (uint8_t)(p.addr.b[3] << (32 - len));
	return p;
}

static struct nft_allow random_allow(const struct prefix *range)
{
	bool any = below(4) == 0;
	uint8_t proto = (uint8_t)(5 + below(2));
	uint16_t port = (uint16_t)below(6);

	return (struct nft_allow){
		.from = below(2) ? *range : random_prefix(100),
		.to = random_prefix(10),
		.proto_first = any ? 0 : proto,
		.proto_last = any ? UINT8_MAX : proto,
		.port_first = port,
		.port_last = (uint16_t)(port + below(3)),
	};
}

static bool accepts(const struct nft_allow *e, const struct addr *from, const struct addr *to,
	uint8_t proto, uint16_t port)
{
	return prefix_contains_addr(&e->from, from) && prefix_contains_addr(&e->to, to) &&
	       e->proto_first <= proto && proto <= e->proto_last && e->port_first <= port &&
	       port <= e->port_last;
}

static bool list_accepts(const struct nft_allow *list, size_t n, const struct addr *from,
	const struct addr *to, uint8_t proto, uint16_t port)
{
	for (size_t i = 0; i < n; i++)
		if (accepts(&list[i], from, to, proto, port))
			return true;
	return false;
}

static bool sets_accept(const struct nft_allow_sets *s, const struct addr *from,
	const struct addr *to, uint8_t proto, uint16_t port)
{
	for (size_t i = 0; i < s->n; i++)
		if (list_accepts(s->sets[i].list, s->sets[i].n, from, to, proto, port))
			return true;
	return false;
}

static bool boxes_meet(const struct nft_allow *a, const struct nft_allow *b)
{
	return prefix_overlaps(&a->from, &b->from) && prefix_overlaps(&a->to, &b->to) &&
	       a->proto_first <= b->proto_last && b->proto_first <= a->proto_last &&
	       a->port_first <= b->port_last && b->port_first <= a->port_last;
}

static void assert_disjoint(const struct nft_allow_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		for (size_t j = i + 1; j < s->n; j++)
			assert_false(boxes_meet(&s->list[i], &s->list[j]));
}

static void assert_same_meaning(
	const struct nft_allow *list, size_t n, const struct nft_allow_sets *s)
{
	struct addr from = {.family = AF_INET, .b = {100}}, to = {.family = AF_INET, .b = {10}};

	for (unsigned i = 0; i < 2000; i++) {
		uint8_t proto = (uint8_t)(4 + below(4));
		uint16_t port = (uint16_t)below(9);
		from.b[3] = (uint8_t)below(17);
		to.b[3] = (uint8_t)below(17);
		assert_int_equal(list_accepts(list, n, &from, &to, proto, port),
			sets_accept(s, &from, &to, proto, port));
	}
}

static void test_allow_random(void **)
{
	struct prefix range = {.addr = {.family = AF_INET, .b = {100}}, .len = 28};
	struct nft_allow list[60];

	for (unsigned round = 0; round < 200; round++) {
		struct nft_model m = {.ranges = &range, .n_ranges = 1, .allow = list};
		struct nft_allow_sets s;

		m.n_allow = 1 + below(COUNT(list));
		for (size_t i = 0; i < m.n_allow; i++)
			list[i] = random_allow(&range);
		nft_allow_sort(&m, &s);
		for (size_t i = 0; i < s.n; i++)
			assert_disjoint(&s.sets[i]);
		assert_same_meaning(list, m.n_allow, &s);
		nft_allow_sets_clear(&s);
	}
}

static const struct nlmsghdr *message_at(const struct nft_txn *t, size_t at)
{
	return (const void *)(t->buf + at);
}

static const struct nlmsghdr *next_message(const struct nft_txn *t, const struct nlmsghdr *nlh)
{
	size_t at = (size_t)((const char *)nlh - t->buf) + (nlh->nlmsg_len + 3U) / 4 * 4;

	return at < t->len ? message_at(t, at) : nullptr;
}

static size_t count_elements(const struct nlmsghdr *nlh)
{
	const struct nlattr *list = nft_attr_find(nlh, NFT_HEADER, NFTA_SET_ELEM_LIST_ELEMENTS);
	const struct nlattr *elem = list ? nft_attr_nested_first(list) : nullptr;
	size_t n = 0;

	for (; elem; elem = nft_attr_nested_next(list, elem))
		n++;
	return n;
}

/* One transaction: begin, messages numbered in order, end; one acknowledgement asked for. */
static void test_txn_framing(void **)
{
	constexpr size_t ENTRIES = 10000;
	struct nft_model m = *nft_model("allow");
	struct nft_allow *list = nft_models_exact(ENTRIES);
	struct nft_txn t;
	uint32_t seq = 77, acks = 0;
	size_t elements = 0;

	m.allow = list;
	m.n_allow = ENTRIES;
	nft_txn_begin(&t, seq);
	nft_table_build(&t, &m, 0, nullptr);
	nft_txn_end(&t);

	uint16_t last = 0;
	for (const struct nlmsghdr *nlh = message_at(&t, 0); nlh; nlh = next_message(&t, nlh)) {
		assert_int_equal(nlh->nlmsg_seq, seq++);
		assert_true(nlh->nlmsg_flags & NLM_F_REQUEST);
		assert_true(nlh->nlmsg_len <= NFT_TXN_MSG_MAX);
		acks += !!(nlh->nlmsg_flags & NLM_F_ACK);
		if (NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_NEWSETELEM)
			elements += count_elements(nlh);
		last = nlh->nlmsg_type;
	}
	assert_int_equal(message_at(&t, 0)->nlmsg_type, NFNL_MSG_BATCH_BEGIN);
	assert_int_equal(last, NFNL_MSG_BATCH_END);
	assert_int_equal(acks, 1);
	assert_int_equal(elements, t.written.elements);
	assert_true(elements > ENTRIES);
	assert_string_equal(nft_txn_what(&t, 77), "transaction");
	assert_string_equal(nft_txn_what(&t, 78), "table");
	assert_string_equal(nft_txn_what(&t, 79), "counter from_mesh");
	assert_null(nft_txn_what(&t, 76));
	assert_null(nft_txn_what(&t, seq));
	nft_txn_clear(&t);
	free(list);
}

struct mentions {
	bool ct, nat;
};

static int see_expr(struct nftnl_expr *e, void *arg)
{
	struct mentions *m = arg;
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);

	m->ct |= strcmp(name, "ct") == 0;
	m->nat |= strcmp(name, "masq") == 0;
	return 0;
}

static struct mentions table_mentions(const struct nft_model *model)
{
	struct mentions m = {};
	struct nft_txn t;

	nft_txn_begin(&t, 0);
	nft_table_build(&t, model, 0, nullptr);
	for (const struct nlmsghdr *nlh = message_at(&t, 0); nlh; nlh = next_message(&t, nlh)) {
		if (nlh->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE))
			continue;
		autonftnl(rule) *rule = nftnl_need(nftnl_rule_alloc());
		assert_int_equal(nftnl_rule_nlmsg_parse(nlh, rule), 0);
		nftnl_expr_foreach(rule, see_expr, &m);
	}
	nft_txn_clear(&t);
	return m;
}

/* What needs conntrack says so, and nothing else does. */
static void test_conntrack_only_when_needed(void **)
{
	for (size_t i = 0; i < NFT_MODELS; i++) {
		const struct nft_model *model = &nft_models()[i].model;
		struct mentions m = table_mentions(model);

		assert_int_equal(m.ct, model->allow_list || model->probe);
		assert_int_equal(m.nat, model->nat);
	}
}

static void test_expect(void **)
{
	static const struct {
		const char *model;
		uint32_t chains, rules, sets, elements;
	} cases[] = {
		{"route", 5, 15, 3, 9},
		{"masquerade", 8, 23, 9, 9 + 10},
		{"ipv4-deny", 6, 14, 2, 5},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct nft_state st;

		nft_expect(nft_model(cases[i].model), &st);
		assert_true(st.exists);
		assert_int_equal(st.n_chains, cases[i].chains);
		assert_int_equal(st.n_rules, cases[i].rules);
		assert_int_equal(st.n_sets, cases[i].sets);
		assert_int_equal(st.n_elements, cases[i].elements);
	}
}

/* One message of a dump; each attribute is 32 bits. */
static uint64_t digest_of(uint16_t type, uint32_t place, const uint32_t (*attrs)[2], size_t n)
{
	alignas(struct nlmsghdr) char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct nfgenmsg));
	for (size_t i = 0; i < n; i++)
		mnl_attr_put_u32(nlh, (uint16_t)attrs[i][0], htonl(attrs[i][1]));
	return nft_digest_object(nlh, place);
}

static void test_digest_object(void **)
{
	static const struct {
		const char *name;
		uint16_t type;
		uint32_t a[2][2], b[2][2]; /* attributes: type, value */
		bool same;
	} cases[] = {
		{"chain handle", NFT_MSG_NEWCHAIN, {{NFTA_CHAIN_HANDLE, 1}},
			{{NFTA_CHAIN_HANDLE, 2}}, true},
		{"chain use", NFT_MSG_NEWCHAIN, {{NFTA_CHAIN_USE, 1}}, {{NFTA_CHAIN_USE, 2}}, true},
		{"chain policy", NFT_MSG_NEWCHAIN, {{NFTA_CHAIN_POLICY, 1}},
			{{NFTA_CHAIN_POLICY, 0}}, false},
		{"rule handle", NFT_MSG_NEWRULE, {{NFTA_RULE_HANDLE, 1}}, {{NFTA_RULE_HANDLE, 2}},
			true},
		{"rule position", NFT_MSG_NEWRULE, {{NFTA_RULE_POSITION, 1}},
			{{NFTA_RULE_POSITION, 2}}, true},
		{"rule expressions", NFT_MSG_NEWRULE, {{NFTA_RULE_EXPRESSIONS, 1}},
			{{NFTA_RULE_EXPRESSIONS, 2}}, false},
		{"counter value", NFT_MSG_NEWOBJ, {{NFTA_OBJ_DATA, 1}}, {{NFTA_OBJ_DATA, 2}}, true},
		{"object type", NFT_MSG_NEWOBJ, {{NFTA_OBJ_TYPE, 1}}, {{NFTA_OBJ_TYPE, 2}}, false},
		{"set flags", NFT_MSG_NEWSET, {{NFTA_SET_FLAGS, 4}}, {{NFTA_SET_FLAGS, 0}}, false},
		{"owner", NFT_MSG_NEWTABLE, {{NFTA_TABLE_FLAGS, 6}, {NFTA_TABLE_OWNER, 9}},
			{{NFTA_TABLE_FLAGS, 4}, {NFTA_TABLE_OWNER, 8}}, true},
		{"dormant", NFT_MSG_NEWTABLE, {{NFTA_TABLE_FLAGS, 6}}, {{NFTA_TABLE_FLAGS, 7}},
			false},
		{"values swapped", NFT_MSG_NEWCHAIN,
			{{NFTA_CHAIN_POLICY, 1}, {NFTA_CHAIN_FLAGS, 2}},
			{{NFTA_CHAIN_POLICY, 2}, {NFTA_CHAIN_FLAGS, 1}}, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t a = digest_of(cases[i].type, 0, cases[i].a, 2);
		uint64_t b = digest_of(cases[i].type, 0, cases[i].b, 2);
		if ((a == b) != cases[i].same)
			fail_msg("%s: the digest %s", cases[i].name, a == b ? "stays" : "changes");
	}
	assert_int_not_equal(digest_of(NFT_MSG_NEWRULE, 0, cases[0].a, 2),
		digest_of(NFT_MSG_NEWRULE, 1, cases[0].a, 2));
}

static void test_digest_element(void **)
{
	alignas(struct nlattr) char buf[16];
	struct nlattr *elem = (void *)buf;
	uint32_t value = 1;

	elem->nla_len = sizeof(*elem) + sizeof(value);
	elem->nla_type = NFTA_LIST_ELEM;
	memcpy(elem + 1, &value, sizeof(value));
	uint64_t one = nft_digest_element("ranges4", elem);
	assert_int_not_equal(one, nft_digest_element("ranges6", elem));
	value = 2;
	memcpy(elem + 1, &value, sizeof(value));
	assert_int_not_equal(one, nft_digest_element("ranges4", elem));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counter_names),
		cmocka_unit_test(test_allow_sets),
		cmocka_unit_test(test_allow_random),
		cmocka_unit_test(test_txn_framing),
		cmocka_unit_test(test_conntrack_only_when_needed),
		cmocka_unit_test(test_expect),
		cmocka_unit_test(test_digest_object),
		cmocka_unit_test(test_digest_element),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
