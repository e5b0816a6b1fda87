/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Table inet meshgw in a real kernel: what is written is what is read, whose the table is, and
 * that nobody's edit goes unseen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/watch.h"
#include "nft/attr.h"
#include "nft/modes.h"
#include "nft_world.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_counts(const struct nft_state *have, const struct nft_model *model)
{
	struct nft_state want;

	nft_expect(model, &want);
	assert_true(have->exists);
	assert_int_equal(have->n_chains, want.n_chains);
	assert_int_equal(have->n_rules, want.n_rules);
	assert_int_equal(have->n_sets, want.n_sets);
	assert_int_equal(have->n_elements, want.n_elements);
}

/* The same model twice is the same digest, another model another one. */
static void test_written_is_read(void **state)
{
	struct nft_world *w = *state;
	uint64_t digests[NFT_MODELS];

	for (size_t i = 0; i < NFT_MODELS; i++) {
		const struct nft_model *model = &nft_models()[i].model;

		nft_world_replace(w, model);
		struct nft_state st = nft_world_read(w);
		assert_counts(&st, model);
		assert_true(st.owned && st.persistent && nft_conn_owns(w->conn));
		digests[i] = st.digest;
		nft_world_replace(w, model);
		assert_int_equal(nft_world_read(w).digest, digests[i]);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(digests[i], digests[j]);
	}
}

static void test_ten_thousand(void **state)
{
	struct nft_world *w = *state;
	constexpr size_t EXACT = 10000;
	constexpr size_t BOXES = 2000;
	struct nft_allow *list = nft_models_exact(EXACT);
	struct nft_model m = *nft_model("allow");

	for (size_t i = 0; i < BOXES; i++)
		list[i].port_last++;
	m.allow = list;
	m.n_allow = EXACT;
	nft_world_replace(w, &m);
	struct nft_state st = nft_world_read(w);
	assert_counts(&st, &m);
	assert_true(st.n_elements > EXACT);

	list[EXACT - 1].port_first = ++list[EXACT - 1].port_last;
	nft_world_replace(w, &m);
	assert_int_not_equal(nft_world_read(w).digest, st.digest);
	free(list);
}

/* Every way in which boxes can overlap; the kernel would answer EEXIST. */
static void test_overlaps_are_accepted(void **state)
{
	static const char *const texts[] = {
		"100.64.0.0/12 10.0.0.0/8 tcp 80-90",
		"100.64.0.0/12 10.0.1.0/24 tcp 85-99",
		"100.64.0.0/16 10.0.0.0/8 tcp 80-90",
		"100.64.0.0/16 10.0.1.0/24 tcp 1-65535",
		"100.64.0.0/12 10.0.1.50 any",
		"100.64.3.4 10.0.0.0/8 any",
		"100.64.0.0/12 0.0.0.0/0 icmp",
		"100.64.0.0/12 255.255.255.255 udp 0-65535",
		"100.64.0.0/12 10.0.1.50 tcp 90-91",
	};
	struct nft_world *w = *state;
	struct nft_allow list[COUNT(texts)];
	struct nft_model m = *nft_model("allow");

	for (size_t i = 0; i < COUNT(texts); i++)
		list[i] = nft_models_allow(texts[i]);
	m.allow = list;
	m.n_allow = COUNT(texts);
	nft_world_replace(w, &m);
	struct nft_state st = nft_world_read(w);
	assert_counts(&st, &m);
}

static void test_remove(void **state)
{
	struct nft_world *w = *state;
	struct nft_counters counters;
	struct err err = {};

	assert_false(nft_world_read(w).exists);
	assert_int_equal(nft_remove(w->conn, &err), -ENOENT);
	assert_int_equal(nft_read_counters(w->nl, &counters, &err), -ENOENT);
	nft_world_replace(w, nft_model("all"));
	assert_int_equal(nft_remove(w->conn, &err), 0);
	assert_false(nft_conn_owns(w->conn));
	assert_false(nft_world_read(w).exists);
}

static void test_counters_survive(void **state)
{
	struct nft_world *w = *state;
	struct nft_counters start = {}, got;
	struct err err = {};

	for (enum nft_counter c = 0; c < NFT_COUNTERS; c++) {
		start.of[c].packets = 10 + c;
		start.of[c].bytes = UINT64_C(1) << 40 | c;
	}
	nft_world_replace(w, nft_model("route"));
	uint64_t digest = nft_world_read(w).digest;
	assert_int_equal(nft_replace(w->conn, nft_model("route"), &start, &err), 0);
	assert_int_equal(nft_read_counters(w->nl, &got, &err), 0);
	assert_memory_equal(&got, &start, sizeof(got));
	struct nft_state st = nft_world_read(w);
	assert_memory_equal(&st.counters, &start, sizeof(start));
	assert_int_equal(st.digest, digest);
}

struct other {
	struct nl_sock *nl;
	struct nft_conn *conn;
};

static struct other other_open(void)
{
	struct other o;
	struct err err = {};

	assert_int_equal(nl_open(NETLINK_NETFILTER, &o.nl, &err), 0);
	assert_int_equal(nft_conn_new(o.nl, &o.conn, &err), 0);
	return o;
}

static void other_close(struct other *o)
{
	nft_conn_free(o->conn);
	nl_close(o->nl);
}

static void test_owned_by_another_connection(void **state)
{
	struct nft_world *w = *state;
	struct other o = other_open();
	struct err err = {};

	nft_world_replace(w, nft_model("route"));
	uint64_t digest = nft_world_read(w).digest;
	assert_int_equal(nft_replace(o.conn, nft_model("all"), nullptr, &err), -EBUSY);
	assert_non_null(strstr(err.msg, "another process"));
	assert_false(nft_conn_owns(o.conn));
	assert_int_equal(nft_remove(o.conn, &err), -EBUSY);
	other_close(&o);
	assert_int_equal(nft_world_read(w).digest, digest);
}

/* In a child: exit status 0 when nft_replace() gives this error and these words. */
static int replace_status(int code, const char *words, struct nft_conn *conn)
{
	struct err err = {};
	int r = nft_replace(conn, nft_model("all"), nullptr, &err);

	if (r == code && strstr(err.msg, words))
		return 0;
	fprintf(stderr, "%d: %s\n", r, err.msg);
	return 1;
}

static void assert_child_content(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_owned_by_another_process(void **state)
{
	struct nft_world *w = *state;

	nft_world_replace(w, nft_model("route"));
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct other o = other_open();
		_exit(replace_status(-EBUSY, "another process", o.conn));
	}
	assert_child_content(pid);
	assert_false(nft_world_tool("add rule inet meshgw forward drop"));
	assert_false(nft_world_tool("flush set inet meshgw ranges4"));
	assert_false(nft_world_tool("delete table inet meshgw"));
}

static void test_flush_ruleset_passes_by(void **state)
{
	struct nft_world *w = *state;

	nft_world_replace(w, nft_model("all"));
	uint64_t digest = nft_world_read(w).digest;
	assert_true(nft_world_tool("add table inet foreign"));
	assert_true(nft_world_tool("flush ruleset"));
	assert_false(nft_world_tool("list table inet foreign"));
	assert_int_equal(nft_world_read(w).digest, digest);
}

static void test_capability_missing(void **state)
{
	struct nft_world *w = *state;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
		struct __user_cap_data_struct none[2] = {};
		if (syscall(SYS_capset, &header, none) < 0)
			_exit(2);
		_exit(replace_status(-EPERM, "CAP_NET_ADMIN", w->conn));
	}
	assert_child_content(pid);
}

static void test_orphan_is_adopted(void **state)
{
	struct nft_world *w = *state;
	struct other o = other_open();
	struct err err = {};

	assert_int_equal(nft_replace(o.conn, nft_model("all"), nullptr, &err), 0);
	struct nft_state owned = nft_world_read(w);
	other_close(&o);
	struct nft_state orphan = nft_world_read(w);
	assert_true(orphan.exists && orphan.persistent);
	assert_false(orphan.owned);
	assert_int_equal(orphan.digest, owned.digest);

	nft_world_replace(w, nft_model("all"));
	struct nft_state adopted = nft_world_read(w);
	assert_true(adopted.owned && adopted.persistent);
	assert_int_equal(adopted.digest, owned.digest);
	assert_false(nft_world_tool("delete table inet meshgw"));
}

static void test_orphan_can_be_removed(void **state)
{
	struct nft_world *w = *state;
	struct other o = other_open();
	struct err err = {};

	assert_int_equal(nft_replace(o.conn, nft_model("all"), nullptr, &err), 0);
	other_close(&o);
	assert_int_equal(nft_remove(w->conn, &err), 0);
	assert_false(nft_world_read(w).exists);
}

/* A table of an older kernel's days, or somebody's own of our name. */
static void test_plain_table_is_taken_over(void **state)
{
	struct nft_world *w = *state;

	assert_true(nft_world_tool("add table inet meshgw"));
	assert_true(nft_world_tool("add chain inet meshgw left"));
	nft_world_replace(w, nft_model("route"));
	struct nft_state st = nft_world_read(w);
	assert_counts(&st, nft_model("route"));
	assert_true(st.owned && st.persistent);
}

/* A kernel without the flags answers EOPNOTSUPP, as this one does to a flag that none has. */
static void test_kernel_without_flags(void **state)
{
	struct nft_world *w = *state;

	nft_conn_set_flags(w->conn, 0x80 | NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST);
	nft_world_replace(w, nft_model("all"));
	struct nft_state st = nft_world_read(w);
	assert_counts(&st, nft_model("all"));
	assert_false(st.owned || st.persistent || nft_conn_owns(w->conn));
	assert_true(nft_world_tool("flush ruleset"));
	assert_false(nft_world_read(w).exists);
}

/* Each is seen, and the next replacement undoes it. */
static void test_foreign_edits_are_seen(void **state)
{
	static const char *const edits[] = {
		"add rule inet meshgw forward counter",
		"insert rule inet meshgw from_mesh accept",
		"flush chain inet meshgw input",
		"add chain inet meshgw forward { policy drop; }",
		"add chain inet meshgw mine",
		"add chain inet meshgw mine { type filter hook input priority 0; }",
		"add set inet meshgw mine { type ipv4_addr; }",
		"add element inet meshgw ranges4 { 192.0.2.0/24 }",
		"delete element inet meshgw ranges6 { 2606:4700:cf1:1000::/64 }",
		"flush set inet meshgw ranges4",
		"flush set inet meshgw allow4_1",
		"delete element inet meshgw lan { lan0 }",
		"add element inet meshgw route_hosts4 { 10.0.1.78 }",
		"delete element inet meshgw masquerade_hosts6 { 2001:db8:9::7 }",
		"delete element inet meshgw allow4_1 { 10.0.1.50 . tcp . 3000 }",
		"add element inet meshgw allow4_ranges_1 { 10.9.0.0/24 . tcp . 1-9 . 100.64.0.0/12 }",
		"add counter inet meshgw mine",
		"add table inet meshgw { flags dormant; }",
		"flush table inet meshgw",
		"delete table inet meshgw",
		"flush ruleset",
	};
	struct nft_world *w = *state;

	nft_conn_set_flags(w->conn, 0);
	nft_world_replace(w, nft_model("all"));
	uint64_t digest = nft_world_read(w).digest;
	for (size_t i = 0; i < COUNT(edits); i++) {
		if (!nft_world_tool(edits[i]))
			fail_msg("nft refuses: %s", edits[i]);
		if (nft_world_read(w).digest == digest)
			fail_msg("not seen: %s", edits[i]);
		nft_world_replace(w, nft_model("all"));
		assert_int_equal(nft_world_read(w).digest, digest);
	}
}

/* Two rules exchanged: the same rules in another order. */
static void test_order_of_rules_is_seen(void **state)
{
	struct nft_world *w = *state;

	nft_conn_set_flags(w->conn, 0);
	nft_world_replace(w, nft_model("route"));
	assert_true(nft_world_tool("flush chain inet meshgw forward"));
	assert_true(nft_world_tool("add rule inet meshgw forward accept"));
	assert_true(nft_world_tool("add rule inet meshgw forward drop"));
	uint64_t digest = nft_world_read(w).digest;
	assert_true(nft_world_tool("flush chain inet meshgw forward"));
	assert_true(nft_world_tool("add rule inet meshgw forward drop"));
	assert_true(nft_world_tool("add rule inet meshgw forward accept"));
	assert_int_not_equal(nft_world_read(w).digest, digest);
}

/* What others do in their own tables is none of the digest's business. */
static void test_foreign_tables_are_not_seen(void **state)
{
	struct nft_world *w = *state;

	nft_world_replace(w, nft_model("all"));
	struct nft_state st = nft_world_read(w);
	assert_true(nft_world_tool("add table ip meshgw"));
	assert_true(nft_world_tool("add chain ip meshgw forward"));
	assert_true(nft_world_tool("add table inet meshgw2"));
	assert_true(
		nft_world_tool("add set inet meshgw2 lan { type ifname; elements = { lan0 }; }"));
	assert_true(nft_world_tool("add chain inet meshgw2 forward"));
	assert_true(nft_world_tool("add rule inet meshgw2 forward drop"));
	assert_true(nft_world_tool("add counter inet meshgw2 denied { packets 9 bytes 9 }"));
	struct nft_state now = nft_world_read(w);
	assert_memory_equal(&now, &st, sizeof(st));
}

[[noreturn]] static void replace_forever(struct nft_conn *conn)
{
	for (;;)
		for (size_t i = 0; i < 2; i++)
			if (nft_replace(conn, &nft_models()[i].model, nullptr, nullptr) < 0)
				_exit(1);
}

static void on_generation(const struct nlmsghdr *nlh, uint32_t *out)
{
	const struct nlattr *attr = nft_attr_find(nlh, sizeof(struct nfgenmsg), NFTA_GEN_ID);

	*out = attr ? ntohl(mnl_attr_get_u32(attr)) : 0;
}

static void on_notification(enum watch_kind kind, const struct nlmsghdr *nlh, void *arg)
{
	if (kind == WATCH_NFT_GEN)
		on_generation(nlh, arg);
	else if (kind == WATCH_LOST)
		*(uint32_t *)arg = 0;
}

static int on_answer(const struct nlmsghdr *nlh, void *arg)
{
	on_generation(nlh, arg);
	return MNL_CB_OK;
}

static uint32_t generation(struct nl_sock *nl)
{
	struct nl_message m;
	struct nfgenmsg header = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};
	uint16_t type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN;
	uint32_t found = 0;

	assert_int_equal(nl_query(nl, nl_begin(&m, type, 0, &header, sizeof(header)), on_answer,
				 &found, nullptr),
		0);
	return found;
}

struct reader {
	struct nft_world *w;
	struct watch *watch;
	uint64_t digests[2];
	uint32_t told; /* the generation that was told of last, 0 = not known */
	unsigned whole, broken, late;
};

static void listen_up(struct reader *r)
{
	for (unsigned i = 0; i < 20; i++)
		if (watch_read(r->watch, 100, on_notification, &r->told) != 100)
			return;
	r->told = 0; /* the writer is faster */
}

/* Half a table is the kernel's while a commit is under way. Where its end was told before the
 * reading it is ours, and so is an error; where it was told by now, half may be either's. */
static void judge_half(struct reader *r, int e, uint32_t told_before, const struct nft_state *st)
{
	uint32_t now = generation(r->w->nl);

	listen_up(r);
	if (now != r->told)
		return;
	r->late++;
	if (e == 0 && now != told_before)
		return;
	print_error("%s, %u chains, %u rules, %u sets, %u elements\n", strerror(-e), st->n_chains,
		st->n_rules, st->n_sets, st->n_elements);
	r->broken++;
}

static void read_amid(struct reader *r)
{
	struct nft_state st = {};

	listen_up(r);
	uint32_t told = r->told;
	int e = nft_read(r->w->nl, &st, nullptr);
	if (e == -EAGAIN)
		return; /* the honest answer that it kept changing */
	if (e == 0 && (st.digest == r->digests[0] || st.digest == r->digests[1]))
		r->whole++;
	else
		judge_half(r, e, told, &st);
}

/* Somebody replaces the table all the time. The kernel counts the generation up before all of it
 * can be seen, and tells of it behind that (nf_tables_commit()): a writer that is preempted there
 * leaves a part to be read, for which the end of its commit makes up. */
static void test_never_half_a_table(void **state)
{
	struct reader r = {.w = *state};
	int status = 0;

	nft_conn_set_flags(r.w->conn, 0);
	for (size_t i = 0; i < 2; i++) {
		nft_world_replace(r.w, &nft_models()[i].model);
		r.digests[i] = nft_world_read(r.w).digest;
	}
	assert_int_equal(watch_open(NETLINK_NETFILTER, 0, &r.watch, nullptr), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct other o = other_open();
		nft_conn_set_flags(o.conn, 0);
		replace_forever(o.conn);
	}
	for (unsigned i = 0; i < 500; i++)
		read_amid(&r);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	watch_close(r.watch);
	assert_true(WIFSIGNALED(status)); /* it wrote to the end */
	assert_int_equal(r.broken, 0);
	assert_true(r.whole > 0 && r.late <= 1 + r.whole / 20);
	uint64_t digest = nft_world_read(r.w).digest;
	assert_true(digest == r.digests[0] || digest == r.digests[1]);
}

static void test_error_names_the_object(void **state)
{
	struct nft_world *w = *state;
	struct err err = {};

	nft_world_replace(w, nft_model("route"));
	assert_int_equal(nft_set_modes(w->conn, nft_model("masquerade"), &err), -ENOENT);
	assert_string_equal(err.msg, "table inet meshgw: elements of set masquerade_networks4: "
				     "No such file or directory");
}

/* Rewritten in place, the table reads as one that was written from the model at once. */
static void test_set_modes(void **state)
{
	struct nft_world *w = *state;
	const struct nft_model *before = nft_model("all");
	struct nft_model after = *before, none = *before;
	struct err err = {};

	after.masquerade_networks = nft_model("masquerade")->masquerade_networks;
	after.n_masquerade_networks = nft_model("masquerade")->n_masquerade_networks;
	after.masquerade_hosts = before->route_hosts;
	after.n_masquerade_hosts = before->n_route_hosts;
	after.route_hosts = before->masquerade_hosts;
	after.n_route_hosts = before->n_masquerade_hosts;
	none.n_masquerade_networks = none.n_masquerade_hosts = none.n_route_hosts = 0;

	const struct nft_model *steps[] = {&after, &after, &none, before, &none, &after};
	for (size_t i = 0; i < COUNT(steps); i++) {
		nft_world_replace(w, steps[i]);
		struct nft_state want = nft_world_read(w);
		nft_world_replace(w, steps[(i + 1) % COUNT(steps)]);
		if (nft_set_modes(w->conn, steps[i], &err) < 0)
			fail_msg("%s", err.msg);
		struct nft_state have = nft_world_read(w);
		assert_int_equal(have.digest, want.digest);
		assert_int_equal(have.n_elements, want.n_elements);
	}
}

#define KERNEL_TEST(f) cmocka_unit_test_setup_teardown(f, nft_world_setup, nft_world_teardown)

static bool masqueraded(const struct nft_modes *m, const struct prefix *p)
{
	struct addr last = prefix_last(p);
	for (size_t i = 0; i < m->n_networks; i++)
		if (addr_cmp(&m->networks[i].first, &p->addr) <= 0 &&
			addr_cmp(&last, &m->networks[i].last) <= 0 &&
			m->networks[i].first.family == p->addr.family)
			return true;
	return false;
}

/* What was written comes back, also where one network begins behind another, and at the end of the
 * address space. */
static void test_read_modes(void **state)
{
	struct nft_world *w = *state;
	static const char *const texts[] = {"10.0.1.0/24", "10.0.2.0/24", "192.0.2.0/25",
		"255.0.0.0/8", "2001:db8:1::/64", "2001:db8:2::/64", "ff00::/8"};
	static const char *const others[] = {
		"10.0.3.0/24", "192.0.2.128/25", "10.0.0.0/16", "2001:db8:3::/64", "2001:db8::/32"};
	struct nft_model m = *nft_model("masquerade");
	struct nft_modes modes = {};
	struct prefix networks[COUNT(texts)], other;
	struct addr hosts[2];
	struct err err = {};

	assert_int_equal(nft_read_modes(w->nl, &modes, &err), 0); /* no table */
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_int_equal(prefix_parse(texts[i], &networks[i]), 0);
	assert_int_equal(addr_parse("10.0.9.7", &hosts[0]), 0);
	assert_int_equal(addr_parse("2001:db8:9::7", &hosts[1]), 0);
	m.masquerade_networks = networks;
	m.n_masquerade_networks = COUNT(networks);
	m.masquerade_hosts = hosts;
	m.n_masquerade_hosts = COUNT(hosts);
	nft_world_replace(w, &m);
	if (nft_read_modes(w->nl, &modes, &err) != 1)
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < COUNT(networks); i++)
		assert_true(masqueraded(&modes, &networks[i]));
	for (size_t i = 0; i < COUNT(others); i++) {
		assert_int_equal(prefix_parse(others[i], &other), 0);
		assert_false(masqueraded(&modes, &other));
	}
	assert_int_equal(modes.n_hosts, 2);
	assert_int_equal(addr_cmp(&modes.hosts[0], &hosts[0]), 0);
	assert_int_equal(addr_cmp(&modes.hosts[1], &hosts[1]), 0);
	nft_modes_clear(&modes);

	nft_world_replace(w, nft_model("route")); /* without source NAT */
	assert_int_equal(nft_read_modes(w->nl, &modes, &err), 0);
	assert_null(modes.networks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KERNEL_TEST(test_written_is_read),
		KERNEL_TEST(test_ten_thousand),
		KERNEL_TEST(test_overlaps_are_accepted),
		KERNEL_TEST(test_remove),
		KERNEL_TEST(test_counters_survive),
		KERNEL_TEST(test_owned_by_another_connection),
		KERNEL_TEST(test_owned_by_another_process),
		KERNEL_TEST(test_flush_ruleset_passes_by),
		KERNEL_TEST(test_capability_missing),
		KERNEL_TEST(test_orphan_is_adopted),
		KERNEL_TEST(test_orphan_can_be_removed),
		KERNEL_TEST(test_plain_table_is_taken_over),
		KERNEL_TEST(test_kernel_without_flags),
		KERNEL_TEST(test_foreign_edits_are_seen),
		KERNEL_TEST(test_order_of_rules_is_seen),
		KERNEL_TEST(test_foreign_tables_are_not_seen),
		KERNEL_TEST(test_never_half_a_table),
		KERNEL_TEST(test_error_names_the_object),
		KERNEL_TEST(test_set_modes),
		KERNEL_TEST(test_read_modes),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
