/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/health.h"
#include "daemon/prober.h"
#include "lib/marks.h"
#include "world.h"
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char config[] = "lan:\n"
			     "  - interface: eth0\n"
			     "    networks:\n"
			     "      - {prefix: 10.0.2.0/24, witness: [\"10.0.2.60:80\", "
			     "\"10.0.2.61:80\"]}\n"
			     "      - {prefix: 10.0.1.0/24, return_path: masquerade}\n"
			     "      - {prefix: \"2001:db8:2::/64\"}\n"
			     "return_path: auto\n";

struct scene {
	struct world w;
	struct prober *prober;
};

static void scene_init(struct scene *s, const char *text)
{
	world_init(&s->w, world_host);
	s->prober = prober_new(&s->w.gateway);
	world_enter(&s->w, text);
}

static void scene_clear(struct scene *s)
{
	prober_free(s->prober);
	world_clear(&s->w);
}

/* Passes and rounds as the loop would run them. */
static void scene_run(struct scene *s, uint64_t duration_us)
{
	uint64_t end = s->w.now_us + duration_us, pass = s->w.now_us;
	while (s->w.now_us < end) {
		bool changed = false;
		if (s->w.gateway.dirty || (pass && pass <= s->w.now_us))
			pass = gateway_pass(&s->w.gateway, s->w.now_us);
		uint64_t next = prober_run(s->prober, s->w.now_us, &changed);
		if (s->w.gateway.dirty)
			continue;
		if (pass && (!next || pass < next))
			next = pass;
		assert_true(!next || next > s->w.now_us);
		s->w.now_us = next && next < end ? next : end;
	}
}

static struct addr address(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void service(struct scene *s, const char *host, struct dummy_service what)
{
	what.address = address(host);
	what.port = what.port ? what.port : 80;
	dummy_service(s->w.kernel, &what);
}

static const struct dummy_service answers = {.own = 1, .answer = MARK_PROBE_ANSWERED};
static const struct dummy_service lan_only = {.own = 1};
static const struct dummy_service dead = {.own = -EINPROGRESS};

static void services(struct scene *s, struct dummy_service what)
{
	service(s, "10.0.2.60", what);
	service(s, "10.0.2.61", what);
}

static const struct prove_network *network(const struct scene *s)
{
	return &s->w.gateway.prove.networks[0];
}

static bool masqueraded(const struct scene *s, const char *network_address)
{
	struct addr a = address(network_address);
	const struct nft_modes *m = &s->w.kernel->modes;
	for (size_t i = 0; i < m->n_networks; i++)
		if (addr_cmp(&m->networks[i].first, &a) <= 0 &&
			addr_cmp(&a, &m->networks[i].last) <= 0)
			return true;
	return false;
}

static bool host_masqueraded(const struct scene *s, const char *host)
{
	struct addr a = address(host);
	for (size_t i = 0; i < s->w.kernel->modes.n_hosts; i++)
		if (!addr_cmp(&s->w.kernel->modes.hosts[i], &a))
			return true;
	return false;
}

static void prove_it(struct scene *s)
{
	services(s, answers);
	scene_run(s, 5 * WORLD_SECOND);
	assert_true(network(s)->route);
}

static size_t writes(const struct scene *s, const char *name)
{
	size_t n = 0;
	for (size_t i = 0; i < s->w.kernel->n_log; i++)
		n += strncmp(s->w.kernel->log[i], name, strlen(name)) == 0;
	return n;
}

static void flow(struct scene *s, uint8_t proto, uint16_t port, const char *to, uint32_t status)
{
	struct dummy_flow f = {.flow = {.proto = proto,
				       .from = address("100.96.0.7"),
				       .to = address(to),
				       .from_port = port,
				       .to_port = 80},
		.state = {.status = IPS_CONFIRMED | status}};
	dummy_flow(s->w.kernel, &f);
}

static bool lives(const struct scene *s, uint8_t proto, uint16_t port)
{
	for (size_t i = 0; i < s->w.kernel->n_flows; i++)
		if (s->w.kernel->flows[i].flow.from_port == port &&
			s->w.kernel->flows[i].flow.proto == proto)
			return true;
	return false;
}

/* The table is not written anew for a switch, and no live TCP flow ends. */
static void test_switch(void **)
{
	struct scene s;
	scene_init(&s, config);
	services(&s, lan_only);
	scene_run(&s, WORLD_SECOND);
	assert_true(masqueraded(&s, "10.0.2.0") && masqueraded(&s, "10.0.1.0"));
	size_t replaced = writes(&s, "nft_replace");

	services(&s, answers);
	flow(&s, IPPROTO_TCP, 60001, "10.0.2.60", IPS_SEEN_REPLY);
	flow(&s, IPPROTO_TCP, 60002, "10.0.2.60", 0);
	flow(&s, IPPROTO_UDP, 60003, "10.0.2.60", IPS_SEEN_REPLY);
	flow(&s, IPPROTO_TCP, 60004, "10.0.1.60", 0);
	scene_run(&s, 15 * WORLD_SECOND);
	assert_true(network(&s)->route);
	assert_true(!masqueraded(&s, "10.0.2.0") && masqueraded(&s, "10.0.1.0"));
	assert_true(lives(&s, IPPROTO_TCP, 60001) && !lives(&s, IPPROTO_TCP, 60002));
	assert_true(lives(&s, IPPROTO_UDP, 60003) && lives(&s, IPPROTO_TCP, 60004));

	services(&s, lan_only);
	scene_run(&s, 20 * WORLD_SECOND);
	assert_false(network(&s)->route);
	assert_true(masqueraded(&s, "10.0.2.0"));
	assert_true(lives(&s, IPPROTO_TCP, 60001) && !lives(&s, IPPROTO_UDP, 60003));
	assert_int_equal(writes(&s, "nft_replace"), replaced);
	assert_int_equal(writes(&s, "nft_set_modes"), 2);

	/* Back after the hold; what is written anew meanwhile has the mode that is. */
	services(&s, answers);
	scene_run(&s, 5 * WORLD_SECOND);
	s.w.kernel->nft.digest++;
	gateway_mark(&s.w.gateway, DIRTY_NFT);
	scene_run(&s, WORLD_SECOND);
	assert_int_equal(writes(&s, "nft_replace"), replaced + 1);
	assert_true(masqueraded(&s, "10.0.2.0"));
	scene_run(&s, 30 * WORLD_SECOND);
	assert_true(network(&s)->route);
	s.w.kernel->nft.digest++;
	gateway_mark(&s.w.gateway, DIRTY_NFT);
	scene_run(&s, WORLD_SECOND);
	assert_false(masqueraded(&s, "10.0.2.0"));
	scene_clear(&s);
}

static void test_exception(void **)
{
	struct scene s;
	scene_init(&s, config);
	services(&s, answers);
	service(&s, "10.0.2.61", lan_only);
	scene_run(&s, 8 * WORLD_SECOND);
	assert_true(network(&s)->route && !masqueraded(&s, "10.0.2.0"));
	assert_true(host_masqueraded(&s, "10.0.2.61") && !host_masqueraded(&s, "10.0.2.60"));
	service(&s, "10.0.2.61", answers);
	scene_run(&s, 60 * WORLD_SECOND);
	assert_false(host_masqueraded(&s, "10.0.2.61"));

	flow(&s, IPPROTO_UDP, 60001, "10.0.2.61", IPS_SEEN_REPLY);
	flow(&s, IPPROTO_UDP, 60002, "10.0.2.60", IPS_SEEN_REPLY);
	service(&s, "10.0.2.61", lan_only);
	scene_run(&s, 15 * WORLD_SECOND);
	assert_true(host_masqueraded(&s, "10.0.2.61") && network(&s)->route);
	assert_true(!lives(&s, IPPROTO_UDP, 60001) && lives(&s, IPPROTO_UDP, 60002));
	scene_clear(&s);
}

/* What the kernel and the table show of an answer, and what it counts for. */
static void test_results(void **)
{
	static const struct {
		struct dummy_service service;
		enum prove_verdict verdict;
	} cases[] = {
		{{.own = 1, .answer = MARK_PROBE_ANSWERED}, PROVE_GOOD},
		{{.own = -EINPROGRESS, .answer = MARK_PROBE_ANSWERED}, PROVE_GOOD},
		{{.own = -ECONNREFUSED, .answer = MARK_PROBE_REFUSED}, PROVE_GOOD},
		{{.own = -ECONNREFUSED, .answer = MARK_PROBE_ANSWERED | MARK_PROBE_REFUSED},
			PROVE_GOOD},
		{{.own = 1, .answer = MARK_PROBE_REFUSED}, PROVE_BAD},
		{{.own = 1, .answer = MARK_PROBE_ANSWERED | MARK_PROBE_REFUSED}, PROVE_BAD},
		{{.own = 1}, PROVE_BAD},
		{{.own = -ECONNREFUSED}, PROVE_BAD},
		{{.own = 1, .answer = MARK_PROBE_ASTRAY}, PROVE_BAD},
		{{.own = 1, .answer = MARK_PROBE_DIVERTED}, PROVE_BAD},
		{{.own = -EINPROGRESS}, PROVE_SILENT},
		{{.own = -ETIMEDOUT}, PROVE_SILENT},
		{{.own = -EHOSTDOWN}, PROVE_SILENT}, /* as a neighbour that is off */
		{{.own = 1, .filtered = true}, PROVE_FILTERED},
		{{.own = -EINPROGRESS, .filtered = true}, PROVE_FILTERED},
		/* Rejected here, which looks like a refusal by the host. */
		{{.own = -ECONNREFUSED, .rejected = true}, PROVE_FILTERED},
		{{.own = -EHOSTUNREACH, .rejected = true, .filtered = true}, PROVE_FILTERED},
		/* Somebody translates the probe's source as well. */
		{{.own = 1, .answer = MARK_PROBE_ANSWERED, .status = IPS_SRC_NAT}, PROVE_NOTHING},
		{{.error = ENETUNREACH}, PROVE_NOTHING},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene s;
		scene_init(&s, config);
		services(&s, cases[i].service);
		scene_run(&s, 2 * WORLD_SECOND);
		assert_true(network(&s)->rounds > 0);
		if (network(&s)->verdict != cases[i].verdict)
			fail_msg("case %zu: %s, not %s", i, prove_verdict_str(network(&s)->verdict),
				prove_verdict_str(cases[i].verdict));
		scene_clear(&s);
	}
}

/* A route that does not lead into the tunnel, or a tunnel that is gone, is our own fault. */
static void test_no_path(void **)
{
	struct scene s;
	scene_init(&s, config);
	prove_it(&s);
	dummy_unlink(s.w.kernel, WORLD_MESH);
	gateway_mark(&s.w.gateway, DIRTY_ALL);
	services(&s, lan_only);
	scene_run(&s, 60 * WORLD_SECOND);
	assert_true(network(&s)->route);
	assert_int_equal(network(&s)->verdict, PROVE_NOTHING);
	scene_clear(&s);
}

/* The router of a part of a network does not speak for its own link. */
static void test_router_of_a_part(void **)
{
	static const char parts[] = "lan:\n"
				    "  - interface: eth0\n"
				    "    networks:\n"
				    "      - {prefix: 10.0.2.0/24, witness: \"10.0.2.200:80\"}\n"
				    "      - {prefix: 10.0.1.0/24, witness: \"10.0.1.9:80\"}\n"
				    "return_path: auto\n";
	struct route part = {.type = RTN_UNICAST,
		.table = RT_TABLE_MAIN,
		.protocol = RTPROT_STATIC,
		.oif = 2,
		.gateway = address("10.0.1.9")};
	struct scene s;
	assert_int_equal(prefix_parse("10.0.2.128/25", &part.dst), 0);
	scene_init(&s, parts);
	dummy_route(s.w.kernel, &part);
	service(&s, "10.0.2.200", answers);
	service(&s, "10.0.1.9", answers);
	scene_run(&s, 8 * WORLD_SECOND);
	assert_true(network(&s)->route);
	assert_int_equal(network(&s)[1].verdict, PROVE_WEAK);
	assert_false(network(&s)[1].route);
	scene_clear(&s);
}

static void run_into_round(struct scene *s)
{
	while (!network(s)->asking)
		scene_run(s, WORLD_SECOND / 10);
}

/* What came while our table was written anew, or while the tunnel was another, was not seen; also
 * when all is in its place again as the round ends. */
static void test_change_in_a_round(void **)
{
	struct scene s;
	scene_init(&s, config);
	prove_it(&s);
	services(&s, lan_only);
	run_into_round(&s);
	s.w.kernel->nft.digest++;
	gateway_mark(&s.w.gateway, DIRTY_NFT);
	scene_run(&s, WORLD_SECOND + WORLD_SECOND / 10);
	assert_true(s.w.gateway.seen.nft_current);
	assert_int_equal(network(&s)->verdict, PROVE_NOTHING);

	services(&s, (struct dummy_service){.own = -EINPROGRESS});
	run_into_round(&s);
	dummy_unlink(s.w.kernel, WORLD_MESH);
	gateway_mark(&s.w.gateway, DIRTY_ALL);
	services(&s, lan_only);
	scene_run(&s, WORLD_SECOND + WORLD_SECOND / 10);
	assert_int_equal(network(&s)->verdict, PROVE_NOTHING);
	assert_true(network(&s)->route);
	scene_clear(&s);
}

/* Without our table nobody sees the answers. */
static void test_no_table(void **)
{
	struct scene s;
	scene_init(&s, config);
	prove_it(&s);
	dummy_stick(s.w.kernel, "nft_replace meshgw", EPERM);
	s.w.kernel->nft = (struct nft_state){};
	gateway_mark(&s.w.gateway, DIRTY_NFT);
	scene_run(&s, 2 * WORLD_SECOND);
	services(&s, lan_only);
	uint64_t rounds = network(&s)->rounds;
	scene_run(&s, 60 * WORLD_SECOND);
	assert_true(network(&s)->route);
	assert_int_equal(network(&s)->rounds, rounds);
	dummy_stick(s.w.kernel, nullptr, 0);
	scene_run(&s, 20 * WORLD_SECOND);
	assert_false(network(&s)->route);
	scene_clear(&s);
}

/* When the sets alone cannot be written, the table is. */
static void test_switch_fails(void **)
{
	struct scene s;
	scene_init(&s, config);
	services(&s, answers);
	dummy_stick(s.w.kernel, "nft_set_modes meshgw", ENOBUFS);
	scene_run(&s, 5 * WORLD_SECOND);
	assert_true(network(&s)->route && !masqueraded(&s, "10.0.2.0"));
	assert_int_equal(writes(&s, "nft_replace"), 2);
	scene_clear(&s);
}

/* A restart goes on with what the table says, also while all witnesses are silent. */
static void test_restart(void **)
{
	struct scene s;
	scene_init(&s, config);
	services(&s, answers);
	service(&s, "10.0.2.61", lan_only);
	scene_run(&s, 8 * WORLD_SECOND);
	assert_true(network(&s)->route && host_masqueraded(&s, "10.0.2.61"));

	services(&s, dead);
	prober_free(s.prober);
	world_restart(&s.w);
	s.prober = prober_new(&s.w.gateway);
	world_enter(&s.w, config);
	scene_run(&s, 60 * WORLD_SECOND);
	assert_true(network(&s)->route && network(&s)->adopted);
	assert_true(!masqueraded(&s, "10.0.2.0") && masqueraded(&s, "10.0.1.0"));
	assert_true(host_masqueraded(&s, "10.0.2.61"));
	services(&s, lan_only);
	scene_run(&s, 20 * WORLD_SECOND);
	assert_false(network(&s)->route);
	scene_clear(&s);
}

/* Learned from flows that completed, in networks that may learn. */
static void test_learning(void **)
{
	struct scene s;
	scene_init(&s, config);
	dummy_witness(s.w.kernel, "2001:db8:2::60", 443, 1);
	dummy_witness(s.w.kernel, "10.0.1.60", 443, 1); /* of a network that is not in mode auto */
	scene_run(&s, 5 * WORLD_SECOND);
	const struct prove_network *six = &s.w.gateway.prove.networks[1];
	assert_int_equal(six->witnesses.n, 1);
	assert_true(six->route && !masqueraded(&s, "2001:db8:2::"));
	for (size_t i = 0; i < s.w.kernel->n_probes; i++) {
		const struct probe_target *t = &s.w.kernel->probes[i];
		char text[ADDR_STRLEN];
		if (t->source.family == AF_INET)
			assert_string_equal(addr_str(&t->source, text), "100.79.255.254");
		assert_string_equal(t->interface, "eth0");
		assert_true(t->address.b[2] != 1 || t->address.family != AF_INET);
	}
	scene_clear(&s);
}

/* A target that answered before, stays without an answer, and works when masqueraded. */
static void test_suspect(void **)
{
	struct scene s;
	scene_init(&s, config);
	prove_it(&s);
	for (unsigned i = 0; i < 40; i++) {
		char host[ADDR_STRLEN];
		snprintf(host, sizeof(host), "10.0.2.%u", 100 + i);
		dummy_witness(s.w.kernel, host, 80, 1);
		if (i == 39)
			service(&s, host, lan_only);
	}
	scene_run(&s, 30 * WORLD_SECOND);
	assert_false(host_masqueraded(&s, "10.0.2.139"));
	flow(&s, IPPROTO_TCP, 60007, "10.0.2.139", 0);
	flow(&s, IPPROTO_TCP, 60008, "10.0.2.200", 0); /* never answered anybody */
	scene_run(&s, 25 * WORLD_SECOND);
	assert_true(host_masqueraded(&s, "10.0.2.139"));
	assert_false(lives(&s, IPPROTO_TCP, 60007));
	assert_true(lives(&s, IPPROTO_TCP, 60008));
	scene_clear(&s);
}

/* So is one that is called for the first time long after the switch, where more services have
 * answered than are kept as witnesses. */
static void test_suspect_late(void **)
{
	struct scene s;
	scene_init(&s, config);
	for (unsigned i = 0; i < 40; i++) {
		char host[ADDR_STRLEN];
		snprintf(host, sizeof(host), "10.0.2.%u", 100 + i);
		dummy_witness(s.w.kernel, host, 80, 1);
		service(&s, host, i == 39 ? lan_only : answers);
	}
	services(&s, answers);
	scene_run(&s, 3600 * WORLD_SECOND);
	assert_true(network(&s)->route && !host_masqueraded(&s, "10.0.2.139"));
	flow(&s, IPPROTO_TCP, 60007, "10.0.2.139", 0);
	scene_run(&s, 15 * WORLD_SECOND);
	assert_true(host_masqueraded(&s, "10.0.2.139"));
	assert_false(lives(&s, IPPROTO_TCP, 60007));
	scene_clear(&s);
}

static int dead_check(struct kernel *, const struct probe *)
{
	return -EINPROGRESS;
}

static int dead_lookup(struct kernel *, const struct ct_flow *, struct ct_state *out, struct err *)
{
	*out = (struct ct_state){.status = IPS_CONFIRMED};
	return 0;
}

/* So many networks whose witnesses are all off that not all can be asked in an interval: those at
 * the end of the list are asked as often as the others. */
static void test_turns(void **)
{
	static constexpr unsigned count = 400;
	char *text = nullptr;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	struct scene s;
	assert_non_null(f);
	fprintf(f, "return_path: auto\nlan:\n  - interface: eth0\n    networks:\n");
	for (unsigned i = 0; i < count; i++) {
		fprintf(f, "      - {prefix: 10.%u.%u.0/24, witness: [", 10 + i / 256, i % 256);
		for (unsigned j = 1; j <= 8; j++)
			fprintf(f, "%s\"10.%u.%u.%u:80\"", j > 1 ? ", " : "", 10 + i / 256, i % 256,
				j);
		fprintf(f, "]}\n");
	}
	assert_int_equal(fclose(f), 0);
	scene_init(&s, text);
	struct kernel_ops ops = *s.w.kernel->base.ops;
	ops.probe_check = dead_check;
	ops.ct_lookup = dead_lookup;
	s.w.kernel->base.ops = &ops;
	scene_run(&s, 60 * WORLD_SECOND);
	assert_in_range(network(&s)[0].rounds, 4, 5);
	assert_in_range(network(&s)[count - 1].rounds, 4, 5);
	scene_clear(&s);
	free(text);
}

static const struct kernel_ops *real_ops;
static unsigned looks;

static int counted_ct_list(struct kernel *k, const struct ct_scope *scope, unsigned kinds,
	struct ct_flow *out, size_t max, struct err *err)
{
	looks++;
	return real_ops->ct_list(k, scope, kinds, out, max, err);
}

/* Conntrack's table may be long: networks whose rounds begin together share one look at it. */
static void test_one_look(void **)
{
	static const char two[] = "lan:\n"
				  "  - interface: eth0\n"
				  "    networks:\n"
				  "      - {prefix: 10.0.2.0/24, witness: \"10.0.2.60:80\"}\n"
				  "      - {prefix: 10.0.1.0/24, witness: \"10.0.1.60:80\"}\n"
				  "return_path: auto\n";
	struct scene s;
	scene_init(&s, two);
	service(&s, "10.0.1.60", answers);
	prove_it(&s);
	assert_true(network(&s)[1].route);
	real_ops = s.w.kernel->base.ops;
	struct kernel_ops ops = *real_ops;
	ops.ct_list = counted_ct_list;
	s.w.kernel->base.ops = &ops;
	uint64_t rounds = network(&s)->rounds;
	scene_run(&s, 35 * WORLD_SECOND);
	assert_int_equal(looks, network(&s)->rounds - rounds);
	scene_clear(&s);
}

/* The end of a BGP session is a reason to ask, not a loss. */
static void test_session_end(void **)
{
	struct scene s;
	struct addr router = address("10.0.1.1");
	scene_init(&s, config);
	prove_it(&s);
	scene_run(&s, 3 * WORLD_SECOND);
	uint64_t rounds = network(&s)->rounds;
	prober_session_ended(s.prober, &router, s.w.now_us);
	scene_run(&s, WORLD_SECOND / 10);
	assert_int_equal(network(&s)->rounds, rounds + 1);
	scene_run(&s, 10 * WORLD_SECOND);
	assert_true(network(&s)->route && network(&s)->rounds >= rounds + 5);
	services(&s, lan_only);
	prober_session_ended(s.prober, &router, s.w.now_us);
	scene_run(&s, 2 * WORLD_SECOND + WORLD_SECOND / 10); /* two timeouts */
	assert_false(network(&s)->route);
	scene_clear(&s);
}

/* Another configuration while probes are under way. */
static void test_reload_between(void **)
{
	struct scene s;
	scene_init(&s, config);
	services(&s, dead);
	scene_run(&s, WORLD_SECOND / 10);
	assert_true(network(&s)->asking);
	world_enter(&s.w, world_masquerade);
	scene_run(&s, WORLD_SECOND / 10);
	assert_int_equal(s.w.gateway.prove.n, 0);
	world_enter(&s.w, config);
	scene_run(&s, WORLD_SECOND / 10);
	assert_true(network(&s)->asking);
	gateway_enter(&s.w.gateway, GATEWAY_DOWN, nullptr);
	scene_run(&s, 5 * WORLD_SECOND);
	assert_int_equal(s.w.gateway.prove.n, 0);
	scene_clear(&s);
}

/* Is there such a condition, with these words? */
static bool says(const struct scene *s, enum condition_code code, const char *words)
{
	struct conditions all = {};
	bool found = false;
	health_collect(&s->w.gateway, false, &all);
	for (size_t i = 0; i < all.n; i++)
		found |= all.list[i].code == code && strstr(all.list[i].message, words);
	conditions_clear(&all);
	return found;
}

/* What health says of it, and when it ends. */
static void test_conditions(void **)
{
	static const char four[] = "10.0.2.0/24", six[] = "2001:db8:2::/64";
	struct scene s;
	struct prove_session session = {.neighbor = address("10.0.1.1"), .sent4 = true};
	scene_init(&s, config);
	services(&s, lan_only);
	scene_run(&s, 2 * WORLD_SECOND);
	assert_true(world_condition(&s.w, COND_RETURN_PATH_UNPROVEN, four));
	assert_true(world_condition(&s.w, COND_RETURN_PATH_UNPROVEN, six));
	assert_true(world_condition(&s.w, COND_WITNESS_MISSING, six));
	assert_false(world_condition(&s.w, COND_WITNESS_MISSING, four));
	assert_false(world_condition(&s.w, COND_RETURN_PATH_UNPROVEN, "10.0.1.0/24"));

	/* That a neighbour knows the ranges says where to look. */
	assert_false(world_condition(&s.w, COND_BGP_ADVERTISED_NOT_USED, nullptr));
	prove_set_sessions(&s.w.gateway.prove, &session, 1, s.w.now_us);
	scene_run(&s, 3 * WORLD_SECOND);
	assert_true(world_condition(&s.w, COND_BGP_ADVERTISED_NOT_USED, "10.0.1.1"));

	services(&s, answers);
	service(&s, "10.0.2.61", lan_only);
	scene_run(&s, 20 * WORLD_SECOND);
	assert_true(network(&s)->route);
	assert_false(world_condition(&s.w, COND_RETURN_PATH_UNPROVEN, four));
	assert_false(world_condition(&s.w, COND_BGP_ADVERTISED_NOT_USED, nullptr));
	assert_true(world_condition(&s.w, COND_HOST_MASQUERADED, "10.0.2.61"));

	assert_true(says(&s, COND_HOST_MASQUERADED, "10.0.2.61 answers the gateway"));

	services(&s, dead);
	scene_run(&s, 15 * WORLD_SECOND);
	assert_true(world_condition(&s.w, COND_WITNESS_SILENT, four));
	assert_true(says(&s, COND_HOST_MASQUERADED, "answered the gateway and not the mesh (now"));
	services(&s, (struct dummy_service){.own = 1, .filtered = true});
	scene_run(&s, 15 * WORLD_SECOND);
	assert_true(world_condition(&s.w, COND_PROBE_FILTERED_LOCALLY, four));
	assert_false(world_condition(&s.w, COND_WITNESS_SILENT, nullptr));

	services(&s, lan_only);
	scene_run(&s, 15 * WORLD_SECOND);
	assert_true(world_condition(&s.w, COND_RETURN_PATH_LOST, four));
	assert_false(world_condition(&s.w, COND_HOST_MASQUERADED, nullptr));
	assert_false(world_condition(&s.w, COND_PROBE_FILTERED_LOCALLY, nullptr));
	scene_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_switch),
		cmocka_unit_test(test_exception),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_no_path),
		cmocka_unit_test(test_router_of_a_part),
		cmocka_unit_test(test_change_in_a_round),
		cmocka_unit_test(test_no_table),
		cmocka_unit_test(test_switch_fails),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_learning),
		cmocka_unit_test(test_suspect),
		cmocka_unit_test(test_suspect_late),
		cmocka_unit_test(test_one_look),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_session_end),
		cmocka_unit_test(test_reload_between),
		cmocka_unit_test(test_conditions),
	};
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
