/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meshgw-trace as meshgwd meets it: the program itself, with a connection at its descriptor 3, in a
 * kernel that forwards, filters, translates and drops.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/json.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "net/netconf.h"
#include "nft_world.h"
#include "packet.h"
#include "verdict/fact.h"
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

constexpr int DEADLINE_MS = 10'000; /* ends what hangs */
constexpr uid_t NOBODY = 65534;
constexpr uint16_t PORT = 40000;

static const struct family {
	int number;
	uint8_t tcp, icmp;
	const char *client, *target, *own, *range, *prober;
} families[] = {
	{4, IPPROTO_TCP, IPPROTO_ICMP, "100.64.12.189", "10.0.1.50", "10.0.1.11", "100.64.0.0/12",
		"100.64.9.9"},
	{6, IPPROTO_TCP, IPPROTO_ICMPV6, "2606:4700:cf1:5000::bd", "2001:db8:1::50",
		"2001:db8:1::11", "2606:4700:cf1:5000::/64", "2606:4700:cf1:5000::99"},
};

/* The program, and what it has said. */
struct trace {
	pid_t pid;
	int fd;
	char *text; /* received, not yet read */
	size_t len;
	sd_json_variant *facts;
	bool done;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1'000'000;
}

/* ---- the program ---- */

static void drop_from_bounding_set(uint64_t caps)
{
	for (unsigned long c = 0; c < 64; c++) {
		if (caps >> c & 1)
			(void)prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
	}
}

static _Noreturn void become_program(int fd, uint64_t without)
{
	char pid[16];

	drop_from_bounding_set(without);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", pid, 1);
	if (dup2(fd, 3) == 3)
		execl(TRACE_PROGRAM, TRACE_PROGRAM, (char *)nullptr);
	_exit(126);
}

/* without: capabilities that the program does not get; peer: who connects. */
static struct trace start(uint64_t without, uid_t peer)
{
	int ends[2];

	assert_int_equal(seteuid(peer), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(seteuid(0), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		become_program(ends[1], without);
	close(ends[1]);
	return (struct trace){.pid = pid, .fd = ends[0]};
}

/* The exit status, once the connection is closed. */
static int stop(struct trace *t)
{
	int status;

	close(t->fd);
	free(t->text);
	sd_json_variant_unref(t->facts);
	assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void say(struct trace *t, const char *message)
{
	size_t len = strlen(message) + 1;

	assert_int_equal(send(t->fd, message, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* One message; nullptr when the connection is closed. */
static sd_json_variant *hear(struct trace *t)
{
	uint64_t until = now_ms() + DEADLINE_MS;
	char *end;

	while (!(end = t->len ? memchr(t->text, '\0', t->len) : nullptr)) {
		struct pollfd pfd = {.fd = t->fd, .events = POLLIN};
		t->text = xreallocarray(t->text, t->len + 65536, 1);
		assert_true(now_ms() < until && poll(&pfd, 1, DEADLINE_MS) > 0);
		ssize_t n = recv(t->fd, t->text + t->len, 65536, 0);
		if (n <= 0)
			return nullptr;
		t->len += (size_t)n;
	}
	sd_json_variant *v = nullptr;
	assert_true(sd_json_parse(t->text, 0, &v, nullptr, nullptr) >= 0);
	t->len -= (size_t)(end + 1 - t->text);
	memmove(t->text, end + 1, t->len);
	return v;
}

static void hear_facts(struct trace *t)
{
	autojson sd_json_variant *v = hear(t);

	assert_non_null(v);
	sd_json_variant *error = sd_json_variant_by_key(v, "error");
	if (error)
		fail_msg("%s", sd_json_variant_string(error));
	sd_json_variant *p = sd_json_variant_by_key(v, "parameters");
	t->done = sd_json_variant_boolean(sd_json_variant_by_key(p, "done"));
	assert_int_equal(t->done, !sd_json_variant_by_key(v, "continues"));
	sd_json_variant_unref(t->facts);
	t->facts = sd_json_variant_ref(sd_json_variant_by_key(p, "facts"));
	assert_true(sd_json_variant_is_array(t->facts));
}

/* Calls, and waits until it looks. */
static void observe(struct trace *t, const struct family *f, const char *own, const char *inject)
{
	char call[2048];

	snprintf(call, sizeof(call),
		"{\"method\":\"io.meshgw.Trace.Observe\",\"more\":true,\"parameters\":{"
		"\"family\":%d,\"proto\":%u,\"client\":\"%s\",\"ports\":[],\"ranges\":[\"%s\"],"
		"\"target\":\"%s\",\"port\":3000,\"own\":\"%s\",\"prober\":\"%s\",\"meshInterface\":\"mesh0\","
		"\"lanInterfaces\":[\"lan0\",\"nothing0\"],\"durationMs\":8000,\"inject\":[%s]}}",
		f->number, f->tcp, f->client, f->range, f->target, own, f->prober, inject);
	say(t, call);
	hear_facts(t);
	assert_false(t->done);
}

#define SYN "{\"atMs\":0,\"kind\":\"syn\",\"sourcePort\":40000,\"port\":3000}"
#define SYN_CLOSED "{\"atMs\":0,\"kind\":\"syn\",\"sourcePort\":40001,\"port\":9}"
#define ECHO_TTL "{\"atMs\":0,\"kind\":\"echo\",\"sourcePort\":40002,\"port\":1,\"ttl\":1}"

/* ---- what it says ---- */

static bool find(const struct trace *t, bool (*is)(const struct fact *f, const void *arg),
	const void *arg, struct fact *out)
{
	for (size_t i = 0; i < sd_json_variant_elements(t->facts); i++) {
		struct err err = {};
		if (fact_from_json(sd_json_variant_by_index(t->facts, i), out, &err) < 0)
			fail_msg("%s", err.msg);
		if (is(out, arg))
			return true;
	}
	return false;
}

/* Waits for a fact. */
static struct fact expect(
	struct trace *t, bool (*is)(const struct fact *f, const void *arg), const void *arg)
{
	struct fact f;

	while (!find(t, is, arg, &f)) {
		if (t->done) {
			autofree char *text = nullptr;
			(void)sd_json_variant_format(t->facts, 0, &text);
			fail_msg("not among the facts: %s", text);
		}
		hear_facts(t);
	}
	return f;
}

struct want_packet {
	enum fact_origin origin;
	enum fact_point point;
	enum fact_packet_kind packet;
};

static bool is_packet(const struct fact *f, const void *arg)
{
	const struct want_packet *want = arg;

	return f->kind == FACT_PACKET && f->packet.origin == want->origin &&
	       f->packet.point == want->point && f->packet.packet == want->packet;
}

static struct fact_packet expect_packet(
	struct trace *t, enum fact_origin origin, enum fact_point point, enum fact_packet_kind kind)
{
	const struct want_packet want = {origin, point, kind};

	return expect(t, is_packet, &want).packet;
}

static bool is_drop(const struct fact *f, const void *arg)
{
	const char *const *want = arg;

	return f->kind == FACT_DROP && !strcmp(f->drop.reason, want[0]) &&
	       !strcmp(f->drop.function, want[1]);
}

static struct fact_drop expect_drop(struct trace *t, const char *reason, const char *function)
{
	const char *const want[] = {reason, function};

	return expect(t, is_drop, want).drop;
}

static bool is_icmp(const struct fact *f, const void *arg)
{
	return f->kind == FACT_ICMP && f->icmp.point == *(const enum fact_point *)arg;
}

static bool is_missing(const struct fact *f, const void *arg)
{
	return f->kind == FACT_MISSING && f->missing.observer == *(const enum fact_observer *)arg;
}

static void assert_missing(struct trace *t, enum fact_observer observer, bool missing)
{
	struct fact f = {};

	assert_int_equal(find(t, is_missing, &observer, &f), missing);
	assert_true(!missing || f.missing.why[0]);
}

static void assert_kinds(struct trace *t)
{
	for (size_t i = 0; i < sd_json_variant_elements(t->facts); i++) {
		struct fact f;
		assert_int_equal(
			fact_from_json(sd_json_variant_by_index(t->facts, i), &f, nullptr), 0);
		assert_true(f.kind == FACT_PACKET || f.kind == FACT_ICMP || f.kind == FACT_DROP ||
			    f.kind == FACT_MISSING);
	}
}

/* ---- the tests ---- */

/* All four points, and the packets as the service gets them. */
static void test_forwarded(void **state)
{
	struct nft_world *w = *state;

	for (size_t i = 0; i < COUNT(families); i++) {
		const struct family *f = &families[i];
		struct packet want = packet_new(f->client, f->target, f->tcp, PORT, 3000), syn;
		struct trace t = start(0, 0);
		observe(&t, f, f->own, SYN);
		packet_expect(w->net->lan_fd, &want, &syn);
		assert_int_equal(syn.tcp_flags, TH_SYN);
		assert_int_equal(syn.sport, PORT);
		assert_int_equal(syn.mss, 1460);

		struct fact_packet seen = expect_packet(
			&t, ORIGIN_INJECTED, POINT_TUN_IN, PACKET_SYN);
		assert_true(seen.to_target && seen.count == 1 && seen.ttl_max == 64);
		assert_false(seen.bad_ip_checksum || seen.bad_l4_checksum);
		seen = expect_packet(&t, ORIGIN_INJECTED, POINT_LAN_OUT, PACKET_SYN);
		assert_true(seen.to_target && seen.ttl_max == 63 && seen.mss == 1460);
		assert_string_equal(seen.interface, "lan0");
		assert_int_equal(addr_cmp(&seen.source, &want.from), 0);

		struct packet answer = packet_reply(&syn);
		packet_send(w->net->lan_fd, &answer);
		seen = expect_packet(&t, ORIGIN_INJECTED, POINT_LAN_IN, PACKET_SYN_ACK);
		assert_false(seen.to_target);
		seen = expect_packet(&t, ORIGIN_INJECTED, POINT_TUN_OUT, PACKET_SYN_ACK);
		assert_false(seen.to_target);
		answer.ack++; /* to an older attempt */
		packet_send(w->net->lan_fd, &answer);
		expect_packet(&t, ORIGIN_INJECTED, POINT_LAN_IN, PACKET_OTHER);
		assert_kinds(&t);
		assert_int_equal(stop(&t), 0);
	}
}

/* The mesh's own, and how it is told from the diagnosis' packets. */
static void test_real(void **state)
{
	struct nft_world *w = *state;

	for (size_t i = 0; i < COUNT(families); i++) {
		const struct family *f = &families[i];
		struct packet real = packet_new(f->client, f->target, f->tcp, 50000, 3000);
		struct packet other = packet_new(f->client, f->target, f->tcp, 50001, 3001);
		struct packet probe = packet_new(f->prober, f->target, f->tcp, 50002, 3000);
		struct trace t = start(0, 0);
		struct fact found;
		observe(&t, f, f->own, SYN);
		packet_send(w->net->mesh_fd, &probe);
		real.from.b[addr_bytes(real.from.family) - 1] ^= 1;
		packet_send(w->net->mesh_fd, &other);
		packet_send(w->net->mesh_fd, &real);
		packet_send(w->net->mesh_fd, &real);
		struct fact_packet seen = expect_packet(&t, ORIGIN_REAL, POINT_LAN_OUT, PACKET_SYN);
		while (seen.count < 2) {
			hear_facts(&t);
			seen = expect_packet(&t, ORIGIN_REAL, POINT_LAN_OUT, PACKET_SYN);
		}
		assert_true(seen.count == 2 && seen.distinct == 1);
		expect_packet(&t, ORIGIN_INJECTED, POINT_LAN_OUT, PACKET_SYN);
		const struct want_packet own = {ORIGIN_OWN, POINT_LAN_OUT, PACKET_SYN};
		assert_false(find(&t, is_packet, &own, &found));
		assert_int_equal(stop(&t), 0);
	}
}

static void test_forwarding_off(void **)
{
	struct trace t = start(0, 0);

	assert_int_equal(sysctl_set("ipv4/ip_forward", 0), 0);
	observe(&t, &families[0], families[0].own, SYN);
	struct fact_drop drop = expect_drop(&t, "IP_INADDRERRORS", "ip_error");
	assert_true(drop.to_target && drop.origin == ORIGIN_INJECTED);
	assert_string_equal(drop.interface, "mesh0");
	assert_int_equal(stop(&t), 0);
}

/* A filter in the way there, and one in the way back. */
static void test_filtered(void **state)
{
	struct nft_world *w = *state;

	assert_true(nft_world_tool("add table inet other"));
	assert_true(
		nft_world_tool("add chain inet other f { type filter hook forward priority 0; }"));
	assert_true(nft_world_tool("add rule inet other f tcp dport 9 drop"));
	assert_true(nft_world_tool("add rule inet other f tcp sport 3000 drop"));
	for (size_t i = 0; i < COUNT(families); i++) {
		const struct family *f = &families[i];
		struct packet want = packet_new(f->client, f->target, f->tcp, PORT, 3000), syn;
		struct trace t = start(0, 0);
		observe(&t, f, f->own, SYN_CLOSED);
		struct fact_drop drop = expect_drop(&t, "NETFILTER_DROP", "nft_do_chain");
		assert_true(drop.to_target && drop.origin == ORIGIN_ASIDE);
		assert_int_equal(stop(&t), 0);

		t = start(0, 0);
		observe(&t, f, f->own, SYN);
		packet_expect(w->net->lan_fd, &want, &syn);
		struct packet answer = packet_reply(&syn);
		packet_send(w->net->lan_fd, &answer);
		drop = expect_drop(&t, "NETFILTER_DROP", "nft_do_chain");
		assert_false(drop.to_target);
		assert_string_equal(drop.interface, "lan0");
		assert_int_equal(stop(&t), 0);
	}
}

/* Behind source NAT it is still known, and its answers are. */
static void test_translated(void **state)
{
	struct nft_world *w = *state;

	assert_true(nft_world_tool("add table inet other"));
	assert_true(nft_world_tool(
		"add chain inet other p { type nat hook postrouting priority 100; }"));
	assert_true(nft_world_tool("add rule inet other p oifname lan0 masquerade"));
	for (size_t i = 0; i < COUNT(families); i++) {
		const struct family *f = &families[i];
		struct packet want = packet_new(f->own, f->target, f->tcp, 0, 9), syn;
		struct trace t = start(0, 0);
		observe(&t, f, f->own, SYN_CLOSED);
		packet_expect(w->net->lan_fd, &want, &syn);
		struct fact_packet seen = expect_packet(
			&t, ORIGIN_ASIDE, POINT_LAN_OUT, PACKET_SYN);
		assert_int_equal(addr_cmp(&seen.source, &want.from), 0);
		struct packet rst = packet_reply(&syn);
		rst.tcp_flags = TH_RST | TH_ACK;
		packet_send(w->net->lan_fd, &rst);
		expect_packet(&t, ORIGIN_ASIDE, POINT_LAN_IN, PACKET_RST);
		expect_packet(&t, ORIGIN_ASIDE, POINT_TUN_OUT, PACKET_RST);
		assert_int_equal(stop(&t), 0);
	}
}

/* From this host, whose limit the TTL meets, and from a router beyond. */
static void test_icmp_errors(void **state)
{
	struct nft_world *w = *state;
	static const uint16_t prohibited[] = {3 << 8 | 13, 1 << 8 | 1};
	static const char *const routers[] = {"10.0.1.1", "2001:db8:1::1"};

	for (size_t i = 0; i < COUNT(families); i++) {
		const struct family *f = &families[i];
		struct packet want = packet_new(f->client, f->target, f->tcp, PORT, 3000), syn;
		enum fact_point out = POINT_TUN_OUT, in = POINT_LAN_IN;
		struct trace t = start(0, 0);
		observe(&t, f, f->own, SYN "," ECHO_TTL);
		struct fact_icmp seen = expect(&t, is_icmp, &out).icmp;
		assert_true(seen.own && seen.about_target_direction);
		assert_int_equal(seen.type, i == 0 ? 11 : 3);
		packet_expect(w->net->lan_fd, &want, &syn);
		struct packet error = packet_new(routers[i], f->client, f->icmp, 0, prohibited[i]);
		error.about = &syn;
		packet_send(w->net->lan_fd, &error);
		seen = expect(&t, is_icmp, &in).icmp;
		assert_true(!seen.own && seen.about_target_direction);
		assert_int_equal(seen.type << 8 | seen.code, prohibited[i]);
		assert_int_equal(addr_cmp(&seen.sender, &error.from), 0);
		assert_int_equal(stop(&t), 0);
	}
}

/* An interface with link addresses takes an injected packet for its own. */
static void test_ethernet(void **)
{
	struct trace t = start(0, 0);

	assert_int_equal(
		system("ip link del mesh0 && ip link add mesh0 type veth peer name far0 && "
		       "ip link set mesh0 up && ip link set far0 up && "
		       "ip route add 100.64.0.0/12 dev mesh0"),
		0);
	observe(&t, &families[0], families[0].own, SYN);
	expect_packet(&t, ORIGIN_INJECTED, POINT_TUN_IN, PACKET_SYN);
	expect_packet(&t, ORIGIN_INJECTED, POINT_LAN_OUT, PACKET_SYN);
	assert_int_equal(stop(&t), 0);
}

/* ---- privileges, and what is left ---- */

static void assert_status(pid_t pid, const char *field, const char *value)
{
	char path[64], line[256];
	size_t len = strlen(field);

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	autofclose FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, field, len) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		assert_string_equal(line + len + 2, value);
		return;
	}
	fail_msg("no field %s", field);
}

/* Ids of the process' BPF programs. */
static size_t programs_of(pid_t pid, uint32_t ids[static 16])
{
	char path[64], line[256];
	size_t n = 0;

	for (int fd = 0; fd < 64; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
		autofclose FILE *file = fopen(path, "re");
		while (file && fgets(line, sizeof(line), file)) {
			if (n < 16 && strncmp(line, "prog_id:", 8) == 0)
				ids[n++] = (uint32_t)strtoul(line + 8, nullptr, 10);
		}
	}
	return n;
}

static bool is_loaded(uint32_t id)
{
	autoclose int fd = bpf_prog_get_fd_by_id(id);

	assert_true(fd >= 0 || errno == ENOENT);
	return fd >= 0;
}

static void expect_unloaded(const uint32_t *ids, size_t n)
{
	uint64_t until = now_ms() + DEADLINE_MS;

	for (size_t i = 0; i < n; i++) {
		while (is_loaded(ids[i])) {
			assert_true(now_ms() < until);
			usleep(10'000);
		}
	}
}

/* Also when it is killed. */
static void test_nothing_remains(void **)
{
	for (int killed = 0; killed < 2; killed++) {
		struct trace t = start(0, 0);
		uint32_t ids[16];
		int status;
		observe(&t, &families[0], families[0].own, SYN);
		size_t n = programs_of(t.pid, ids);
		assert_true(n >= 3);
		assert_true(is_loaded(ids[0]));
		if (!killed) {
			assert_int_equal(stop(&t), 0);
		} else {
			kill(t.pid, SIGKILL);
			assert_int_equal(waitpid(t.pid, &status, 0), t.pid);
			close(t.fd);
			free(t.text);
			sd_json_variant_unref(t.facts);
		}
		expect_unloaded(ids, n);
	}
}

static void test_gives_up_privileges(void **)
{
	struct trace t = start(0, 0);

	observe(&t, &families[0], families[0].own, SYN);
	assert_status(t.pid, "CapInh", "0000000000000000");
	assert_status(t.pid, "CapPrm", "0000000000000000");
	assert_status(t.pid, "CapEff", "0000000000000000");
	assert_status(t.pid, "CapAmb", "0000000000000000");
	assert_status(t.pid, "NoNewPrivs", "1");
	assert_int_equal(stop(&t), 0);
}

constexpr uint64_t BPF_CAPS = 1ULL << CAP_BPF | 1ULL << CAP_PERFMON | 1ULL << CAP_SYS_ADMIN;

/* Without BPF the packets are still seen, without packet sockets the drops are. */
static void test_less_privilege(void **state)
{
	struct nft_world *w = *state;
	const struct family *f = &families[0];
	struct packet real = packet_new(f->client, f->target, f->tcp, 50000, 3000);
	struct trace t = start(BPF_CAPS, 0);

	observe(&t, f, f->own, SYN);
	assert_missing(&t, OBSERVER_DROPS, true);
	assert_missing(&t, OBSERVER_INJECTION, true);
	assert_missing(&t, OBSERVER_PACKETS, false);
	packet_send(w->net->mesh_fd, &real);
	expect_packet(&t, ORIGIN_REAL, POINT_LAN_OUT, PACKET_SYN);
	assert_int_equal(stop(&t), 0);

	assert_int_equal(sysctl_set("ipv4/ip_forward", 0), 0);
	t = start(1ULL << CAP_NET_RAW, 0);
	observe(&t, f, f->own, SYN);
	assert_missing(&t, OBSERVER_PACKETS, true);
	assert_missing(&t, OBSERVER_INJECTION, false);
	expect_drop(&t, "IP_INADDRERRORS", "ip_error");
	assert_int_equal(stop(&t), 0);
}

static void test_injection_without_interface(void **)
{
	struct trace t = start(0, 0);
	const enum fact_observer injection = OBSERVER_INJECTION;

	netns_link_up("mesh0", false);
	observe(&t, &families[0], families[0].own, SYN);
	expect(&t, is_missing, &injection);
	assert_int_equal(stop(&t), 0);
}

/* ---- clients ---- */

static void test_stranger(void **)
{
	struct trace t = start(0, NOBODY);

	assert_null(hear(&t));
	assert_int_equal(stop(&t), 77);
}

static void assert_refused(const char *message, const char *error)
{
	struct trace t = start(0, 0);

	say(&t, message);
	autojson sd_json_variant *v = hear(&t);
	assert_non_null(v);
	assert_string_equal(sd_json_variant_string(sd_json_variant_by_key(v, "error")), error);
	assert_int_equal(stop(&t), 0);
}

#define OBSERVE(more, fields)                                                           \
	"{\"method\":\"io.meshgw.Trace.Observe\"," more "\"parameters\":{\"client\":"   \
	"\"100.64.12.189\",\"ports\":[],\"ranges\":[],\"port\":3000,\"meshInterface\":" \
	"\"mesh0\",\"lanInterfaces\":[]," fields "}}"
#define MORE "\"more\":true,"
#define REST "\"proto\":6,\"durationMs\":100,\"target\":\"10.0.1.50\""

static void test_wrong_calls(void **)
{
	static const struct {
		const char *message, *error;
	} cases[] = {
		{OBSERVE("", "\"family\":4,\"inject\":[]," REST),
			"org.varlink.service.ExpectedMore"},
		{OBSERVE(MORE, "\"family\":6,\"inject\":[]," REST),
			"org.varlink.service.InvalidParameter"},
		{OBSERVE(MORE, "\"family\":4," REST), "org.varlink.service.InvalidParameter"},
		{OBSERVE(MORE, "\"family\":4,\"proto\":6,\"durationMs\":60000,"
			       "\"target\":\"10.0.1.50\",\"inject\":[]"),
			"org.varlink.service.InvalidParameter"},
		{OBSERVE(MORE, "\"family\":4," REST ",\"inject\":[{\"atMs\":0,\"kind\":\"udp\","
			       "\"sourcePort\":1,\"port\":2}]"),
			"org.varlink.service.InvalidParameter"},
		{OBSERVE(MORE, "\"family\":4," REST ",\"inject\":[{\"atMs\":0,\"kind\":\"syn\","
			       "\"sourcePort\":1,\"port\":2,\"size\":1501}]"),
			"org.varlink.service.InvalidParameter"},
		{"{\"method\":\"io.meshgw.Trace.Nothing\",\"more\":true}",
			"org.varlink.service.MethodNotFound"},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_refused(cases[i].message, cases[i].error);
}

/* The whole stream, to its end. */
static void test_ends(void **)
{
	struct trace t = start(0, 0);

	say(&t, OBSERVE(MORE, "\"family\":4,\"inject\":[" SYN "]," REST));
	while (!t.done)
		hear_facts(&t);
	expect_packet(&t, ORIGIN_INJECTED, POINT_TUN_IN, PACKET_SYN);
	assert_missing(&t, OBSERVER_PACKETS, false);
	assert_missing(&t, OBSERVER_DROPS, false);
	assert_int_equal(stop(&t), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, nft_world_setup, nft_world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_forwarded),
		TEST(test_real),
		TEST(test_forwarding_off),
		TEST(test_filtered),
		TEST(test_translated),
		TEST(test_icmp_errors),
		TEST(test_ethernet),
		TEST(test_nothing_remains),
		TEST(test_gives_up_privileges),
		TEST(test_less_privilege),
		TEST(test_injection_without_interface),
		TEST(test_stranger),
		TEST(test_wrong_calls),
		TEST(test_ends),
	};
	/* BPF takes capabilities that root of a user namespace does not have. */
	if (geteuid() != 0 || !netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
