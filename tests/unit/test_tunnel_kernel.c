/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meshgwd's side of the tunnel: the interface and the sockets that it makes and takes back, and
 * what it tells on the socket that is the tunnel's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/clock.h"
#include "daemon/health.h"
#include "daemon/testify.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "tunnel_site.h"
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_interface(void **state)
{
	struct site *s = *state;
	struct link link = {};

	assert_false(site_find_link(s, "own0", &link));
	site_configure(s, "mtu: 1400, " SITE_CONNECTOR(""));
	assert_true(site_find_link(s, "own0", &link));
	assert_int_equal(link.mtu, 1400);
	assert_true(link.flags & IFF_UP);
	assert_string_equal(link.kind, "tun");
	int ifindex = link.ifindex;

	site_configure(s, SITE_CONNECTOR(""));
	assert_true(site_find_link(s, "own0", &link));
	assert_int_equal(link.ifindex, ifindex);
	assert_int_equal(link.mtu, 1280);

	world_enter(&s->w, world_masquerade);
	tunnel_step(s->context.tunnel);
	assert_false(site_find_link(s, "own0", &link));
}

/* An interface of the name is there: it is left alone, and said. */
static void test_foreign_interface(void **state)
{
	struct site *s = *state;
	int ifindex;
	autoclose int other = netns_tun("own0", &ifindex);
	struct link link = {};

	assert_true(other >= 0);
	site_configure(s, SITE_CONNECTOR(""));
	assert_true(site_has_condition(s, COND_TUNNEL_NO_INTERFACE, "own0"));
	assert_true(site_has_condition(s, COND_TUNNEL_NOT_BEGUN, "own0"));
	world_enter(&s->w, world_masquerade);
	tunnel_step(s->context.tunnel);
	assert_true(site_find_link(s, "own0", &link));
	assert_int_equal(link.ifindex, ifindex);
}

/* Without a daemon it is known by its mark, and one of another program's stays. */
static void test_removed_by_name(void **state)
{
	struct site *s = *state;
	int ifindex;
	autoclose int other = netns_tun("other0", &ifindex);
	struct link link = {};
	struct err err = {};

	assert_true(other >= 0);
	site_configure(s, SITE_CONNECTOR(""));
	assert_true(site_find_link(s, "own0", &link));
	assert_true(link.ours);
	assert_int_equal(tunnel_device_remove_named("own0", &err), 0);
	assert_int_equal(tunnel_device_remove_named("other0", &err), 0);
	assert_int_equal(tunnel_device_remove_named("none0", &err), 0);
	assert_false(site_find_link(s, "own0", &link));
	assert_true(site_find_link(s, "other0", &link));
	assert_false(link.ours);
}

/* The gateway's kernel is another one and has no own0: what is said of that is said of this tunnel,
 * and not of another program. */
static void test_remedy(void **state)
{
	struct site *s = *state;
	struct evidence e = {};
	size_t at = 0;

	site_configure(s, SITE_CONNECTOR(""));
	health_collect(&s->w.gateway, false, &s->conditions);
	testify_config(&s->w.gateway, s->w.gateway.config, &e);
	testify_conditions(&s->conditions, &e);
	assert_string_equal(evidence_next(&e, FACT_CONFIG, &at)->config.tunnel, "connector");
	at = 0;
	const struct fact *f = evidence_next(&e, FACT_CONDITION, &at);
	while (f && strcmp(f->condition.code, "tunnel-interface-missing") != 0)
		f = evidence_next(&e, FACT_CONDITION, &at);
	assert_non_null(f);
	assert_null(strstr(f->condition.remedy, "warp"));
	assert_non_null(strstr(f->condition.remedy, "meshgwd"));
	evidence_clear(&e);
}

/* Somebody deletes it: it is made again, and told again. */
static void test_deleted_interface(void **state)
{
	struct site *s = *state;
	struct link link = {};

	site_configure(s, SITE_CONNECTOR(""));
	struct tunnel_view before = tunnel_view(s->context.tunnel);
	assert_int_equal(system("ip link del own0"), 0);
	tunnel_step(s->context.tunnel);
	assert_true(site_find_link(s, "own0", &link));
	assert_true(tunnel_view(s->context.tunnel).generation > before.generation);
}

/* The daemon's end leaves it to whoever has a descriptor, and the next daemon takes it over. */
static void test_adopted(void **state)
{
	struct site *s = *state;
	struct link link = {};

	site_configure(s, SITE_CONNECTOR(""));
	assert_true(site_find_link(s, "own0", &link));
	int ifindex = link.ifindex;
	int kept = fcntl(tunnel_view(s->context.tunnel).device->fd, F_DUPFD_CLOEXEC, 3);
	int socket = fcntl(tunnel_view(s->context.tunnel).sockets->list[0].fd, F_DUPFD_CLOEXEC, 3);
	tunnel_free(s->context.tunnel);
	assert_true(site_find_link(s, "own0", &link));

	s->context.tunnel = tunnel_new(&s->context, "nobody", s->probe_path);
	tunnel_adopt(s->context.tunnel, "tunnel-tun", kept);
	tunnel_adopt(s->context.tunnel, "tunnel-udp-0.0.0.0_0", socket);
	tunnel_adopt(s->context.tunnel, "tunnel-udp-192.0.2.1_9", dup(STDERR_FILENO));
	tunnel_step(s->context.tunnel);
	assert_true(site_find_link(s, "own0", &link));
	assert_int_equal(link.ifindex, ifindex);
	assert_int_equal(tunnel_view(s->context.tunnel).device->fd, kept);
	assert_int_equal(tunnel_view(s->context.tunnel).sockets->n, 1);
	assert_int_equal(tunnel_view(s->context.tunnel).sockets->list[0].fd, socket);
	assert_false(site_has_condition(s, COND_TUNNEL_NO_INTERFACE, nullptr));
}

/* A daemon that was stopped has lost everything; the tunnel brings it to the next one. */
static void test_taken_back(void **state)
{
	struct site *s = *state;
	struct link link = {};

	site_configure(s, SITE_EDGE);
	assert_true(site_find_link(s, "own0", &link));
	int ifindex = link.ifindex;
	int tun = fcntl(tunnel_view(s->context.tunnel).device->fd, F_DUPFD_CLOEXEC, 3);
	int socket = fcntl(tunnel_view(s->context.tunnel).sockets->list[0].fd, F_DUPFD_CLOEXEC, 3);
	tunnel_free(s->context.tunnel);

	s->context.tunnel = tunnel_new(&s->context, "nobody", s->probe_path);
	tunnel_take_back(s->context.tunnel, dup(tun)); /* nothing is configured yet */
	tunnel_step(s->context.tunnel);
	assert_true(site_has_condition(s, COND_TUNNEL_NO_INTERFACE, "own0"));
	assert_true(site_has_condition(s, COND_TUNNEL_NO_SOCKET, "127.0.0.1:4433"));
	tunnel_take_back(s->context.tunnel, dup(STDERR_FILENO));
	tunnel_take_back(s->context.tunnel, dup(s->client));
	tunnel_take_back(s->context.tunnel, tun);
	tunnel_take_back(s->context.tunnel, socket);
	tunnel_step(s->context.tunnel);
	assert_true(site_find_link(s, "own0", &link));
	assert_int_equal(link.ifindex, ifindex);
	assert_int_equal(tunnel_view(s->context.tunnel).device->fd, tun);
	assert_int_equal(tunnel_view(s->context.tunnel).sockets->list[0].fd, socket);
	assert_false(site_has_condition(s, COND_TUNNEL_NO_INTERFACE, nullptr));
	assert_false(site_has_condition(s, COND_TUNNEL_NO_SOCKET, nullptr));
}

static void test_attach(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};
	struct ifreq ifr = {};

	site_call(s, "TunnelAttach", ",\"more\":true");
	assert_true(site_receive(s, &r));
	assert_null(sd_json_variant_by_key(r.parameters, "tunnel"));
	assert_int_equal(r.n_fds, 0);

	site_configure(s, SITE_CONNECTOR(""));
	assert_true(site_receive(s, &r));
	sd_json_variant *tunnel = sd_json_variant_by_key(r.parameters, "tunnel");
	assert_string_equal(client_text(tunnel, "role"), "connector");
	sd_json_variant *connector = sd_json_variant_by_key(tunnel, "connector");
	assert_string_equal(client_text(connector, "template"),
		"https://198.51.100.1/.well-known/masque/ip/{target}/{ipproto}/");
	assert_int_equal(r.n_fds, 2);
	int64_t tun = sd_json_variant_integer(sd_json_variant_by_key(r.parameters, "tun"));
	assert_true(tun == 0 || tun == 1);
	assert_int_equal(ioctl(r.fds[tun], TUNGETIFF, &ifr), 0);
	assert_string_equal(ifr.ifr_name, "own0");
	assert_true(ifr.ifr_flags & IFF_VNET_HDR);

	tunnel_step(s->context.tunnel);
	assert_false(site_receive(s, &r)); /* nothing has changed */

	world_enter(&s->w, world_masquerade);
	tunnel_step(s->context.tunnel);
	assert_true(site_receive(s, &r));
	assert_null(sd_json_variant_by_key(r.parameters, "tunnel"));
	client_reply_clear(&r);
}

static uint64_t told_number(const struct client_reply *r, const char *key)
{
	return sd_json_variant_unsigned(sd_json_variant_by_key(r->parameters, key));
}

/* How many messages tell of changes of the packet filter; the last number is the newest. */
static uint64_t hear_filters(struct site *s, uint64_t generation, uint64_t *newest)
{
	struct client_reply r = {};
	uint64_t n = 0;

	for (; site_receive(s, &r); n++) {
		assert_true(told_number(&r, "filters") > *newest);
		*newest = told_number(&r, "filters");
		assert_int_equal(told_number(&r, "generation"), generation);
	}
	client_reply_clear(&r);
	return n;
}

/* Somebody changes the packet filter: the tunnel is told at once, and not of each change of many;
 * but of the last one. */
static void test_filters(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};

	site_configure(s, SITE_CONNECTOR(""));
	site_call(s, "TunnelAttach", ",\"more\":true");
	assert_true(site_receive(s, &r));
	uint64_t before = told_number(&r, "filters"), generation = told_number(&r, "generation");
	uint64_t newest = before, begin = clock_monotonic_us();
	client_reply_clear(&r);
	for (int i = 0; i < 10; i++) {
		gateway_event(&s->w.gateway, WATCH_NFT_GEN, nullptr);
		tunnel_step(s->context.tunnel);
	}
	uint64_t most = 1 + (clock_monotonic_us() - begin) / 500'000;
	assert_in_range(hear_filters(s, generation, &newest), 1, most);
	usleep(600'000);
	tunnel_step(s->context.tunnel);
	(void)hear_filters(s, generation, &newest);
	assert_int_equal(newest, before + 10);
}

/* An edge has memory for the process that comes after the one that was killed: the same for each of
 * them, of a size that they cannot change. */
static void test_memory(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};
	struct stat first, second;
	int kept;

	site_configure(s, SITE_EDGE);
	site_call(s, "TunnelAttach", "");
	assert_true(site_receive(s, &r));
	int64_t memory = sd_json_variant_integer(sd_json_variant_by_key(r.parameters, "memory"));
	assert_int_equal(r.n_fds, 3);
	assert_in_range(memory, 0, 2);
	assert_int_equal(fstat(r.fds[memory], &first), 0);
	assert_int_equal(ftruncate(r.fds[memory], 1 << 30), -1);
	assert_int_equal(ftruncate(r.fds[memory], 0), -1);
	assert_int_equal(pwrite(r.fds[memory], "x", 1, 0), 1);
	kept = fcntl(r.fds[memory], F_DUPFD_CLOEXEC, 3);

	client_reply_clear(&r); /* the interface, too */
	tunnel_free(s->context.tunnel);
	s->context.tunnel = tunnel_new(&s->context, "nobody", s->probe_path);
	tunnel_adopt(s->context.tunnel, "tunnel-memory", dup(STDERR_FILENO));
	tunnel_adopt(s->context.tunnel, "tunnel-memory", kept);
	tunnel_step(s->context.tunnel);
	site_call(s, "TunnelAttach", "");
	assert_true(site_receive(s, &r));
	assert_int_equal(r.n_fds, 3);
	memory = sd_json_variant_integer(sd_json_variant_by_key(r.parameters, "memory"));
	assert_int_equal(fstat(r.fds[memory], &second), 0);
	assert_int_equal(first.st_ino, second.st_ino);
	site_configure(s, SITE_CONNECTOR(""));
	site_call(s, "TunnelAttach", "");
	assert_true(site_receive(s, &r));
	assert_null(sd_json_variant_by_key(r.parameters, "memory"));
	client_reply_clear(&r);
}

/* An edge's own addresses are those of the configuration, at once; they are told and shown. */
static void test_own_addresses(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};

	site_configure(s, SITE_EDGE_WITH("addresses: [100.96.0.1], "));
	assert_true(site_has_address(s, "own0", "100.96.0.1"));
	site_configure(s, SITE_EDGE_WITH("addresses: [100.96.0.2, 10.9.0.1], "));
	assert_true(site_has_address(s, "own0", "100.96.0.2"));
	assert_true(site_has_address(s, "own0", "10.9.0.1"));
	assert_int_equal(tunnel_view(s->context.tunnel).verdict->n_addresses, 2);
	site_call(s, "TunnelAttach", "");
	assert_true(site_receive(s, &r));
	sd_json_variant *edge = sd_json_variant_by_key(
		sd_json_variant_by_key(r.parameters, "tunnel"), "edge");
	sd_json_variant *own = sd_json_variant_by_key(edge, "addresses");
	assert_int_equal(sd_json_variant_elements(own), 2);
	assert_string_equal(
		sd_json_variant_string(sd_json_variant_by_index(own, 1)), "10.9.0.1/32");
	client_reply_clear(&r);
	site_configure(s, SITE_CONNECTOR(""));
	assert_int_equal(tunnel_view(s->context.tunnel).verdict->n_addresses, 0);
}

/* [::] beside 0.0.0.0, on one port; each is known by its name. */
static void test_both_families(void **state)
{
	struct site *s = *state;
	const char *edge = "edge: {listen: [\"0.0.0.0:4433\", \"[::]:4433\"], nodes: [{name: n, "
			   "replicas: [{name: r, pins: [\"" SITE_PIN "\"]}]}]}";

	site_configure(s, edge);
	assert_int_equal(tunnel_view(s->context.tunnel).sockets->n, 2);
	assert_false(site_has_condition(s, COND_TUNNEL_NO_SOCKET, nullptr));
	int six = fcntl(tunnel_view(s->context.tunnel).sockets->list[1].fd, F_DUPFD_CLOEXEC, 3);
	tunnel_free(s->context.tunnel);

	s->context.tunnel = tunnel_new(&s->context, "nobody", s->probe_path);
	tunnel_adopt(s->context.tunnel, "tunnel-udp-[__]_4433", six);
	tunnel_step(s->context.tunnel);
	assert_int_equal(tunnel_view(s->context.tunnel).sockets->n, 2);
	assert_int_equal(tunnel_view(s->context.tunnel).sockets->list[0].fd, six);
	assert_false(site_has_condition(s, COND_TUNNEL_NO_SOCKET, nullptr));
}

static in_port_t port_of_socket(const struct site *s)
{
	struct sockaddr_in6 at = {}; /* both families have the port in the same place */
	socklen_t n = sizeof(at);

	assert_int_equal(tunnel_view(s->context.tunnel).sockets->n, 1);
	assert_int_equal(getsockname(tunnel_view(s->context.tunnel).sockets->list[0].fd,
				 (struct sockaddr *)&at, &n),
		0);
	return at.sin6_port;
}

/* An address that is to be looked for (IPv6) is none until a thread of the kernel has seen to it.
 */
static void change_address(const char *how, const char *address)
{
	char command[96];

	snprintf(command, sizeof(command), "ip addr %s %s dev lo nodad", how, address);
	assert_int_equal(system(command), 0);
}

/* This host's address towards the edge is another one: another socket, which says so. */
static void check_moved(
	struct site *s, const char *connector, const char *former, const char *latter)
{
	change_address("add", former);
	site_configure(s, connector);
	in_port_t port = port_of_socket(s);
	uint64_t generation = tunnel_view(s->context.tunnel).generation;
	change_address("del", former);
	tunnel_step(s->context.tunnel); /* there is no way to it at all */
	change_address("add", former);
	tunnel_step(s->context.tunnel);
	assert_int_equal(tunnel_view(s->context.tunnel).generation, generation);
	assert_int_equal(port_of_socket(s), port);

	change_address("add", latter);
	change_address("del", former);
	change_address("replace", latter);
	tunnel_step(s->context.tunnel);
	assert_int_equal(tunnel_view(s->context.tunnel).generation, generation + 1);
	assert_int_not_equal(port_of_socket(s), port);
	port = port_of_socket(s);
	tunnel_step(s->context.tunnel);
	assert_int_equal(port_of_socket(s), port);
}

static void test_moved(void **state)
{
	check_moved(*state, SITE_CONNECTOR(""), "198.51.100.7/24", "198.51.100.8/24");
}

static void test_moved6(void **state)
{
	check_moved(*state,
		"connector: {edges: [\"[2001:db8::1]:443\"], peer: {pins: [\"" SITE_PIN "\"]}}",
		"2001:db8::7/64", "2001:db8::8/64");
}

/* As another program has it: the edge's. */
static int take_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_port = htons(4433),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(other, (const struct sockaddr *)&at, sizeof(at)), 0);
	return other;
}

/* Another program has an edge's port, and then lets it go. */
static void test_no_socket(void **state)
{
	struct site *s = *state;
	int other = take_port();

	site_configure(s, SITE_EDGE);
	assert_true(site_has_condition(s, COND_TUNNEL_NO_SOCKET, "127.0.0.1:4433"));
	assert_true(site_has_condition(s, COND_TUNNEL_NOT_BEGUN, "127.0.0.1:4433"));
	close(other);
	site_configure(s, SITE_CONNECTOR(""));
	site_configure(s, SITE_EDGE);
	assert_false(site_has_condition(s, COND_TUNNEL_NO_SOCKET, "127.0.0.1:4433"));
	assert_false(site_has_condition(s, COND_TUNNEL_NOT_BEGUN, "127.0.0.1:4433"));
}

/* Of two sockets one is there, and the key is not: it is for want of that one that none begins. */
static void test_one_socket_and_no_key(void **state)
{
	struct site *s = *state;
	int other = take_port();

	assert_int_equal(unlink(s->key), 0);
	site_configure(s, SITE_EDGE_AT("\"127.0.0.1:4433\", \"127.0.0.1:4434\"", ""));
	assert_true(site_has_condition(s, COND_TUNNEL_NO_SOCKET, "127.0.0.1:4433"));
	assert_false(site_has_condition(s, COND_TUNNEL_NO_SOCKET, "127.0.0.1:4434"));
	assert_false(site_has_condition(s, COND_TUNNEL_NOT_BEGUN, "127.0.0.1:4433"));
	assert_true(site_has_condition(s, COND_TUNNEL_NOT_BEGUN, s->key));
	close(other);
}

/* A key that others may read is none; without it the tunnel is told nothing. Mended, it is read
 * with the next apply, as the remedy says, and not before. */
static void test_open_key(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};

	site_write_pem(s->key, 0644);
	site_configure(s, SITE_CONNECTOR(""));
	assert_true(site_has_condition(s, COND_TUNNEL_FILE_UNUSABLE, s->key));
	assert_true(site_has_condition(s, COND_TUNNEL_NOT_BEGUN, s->key));
	site_call(s, "TunnelAttach", "");
	assert_true(site_receive(s, &r));
	assert_null(sd_json_variant_by_key(r.parameters, "tunnel"));
	client_reply_clear(&r);
	site_write_pem(s->key, 0600);
	tunnel_step(s->context.tunnel);
	assert_true(site_has_condition(s, COND_TUNNEL_NOT_BEGUN, s->key));
	assert_non_null(strstr(condition_remedy(COND_TUNNEL_NOT_BEGUN, true),
		"after files are mended: meshgw apply"));
	site_configure(s, SITE_CONNECTOR(""));
	assert_false(site_has_condition(s, COND_TUNNEL_NOT_BEGUN, s->key));
}

static void write_pem_with(const char *path, const char *body)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, "-----BEGIN X-----\n%s\n-----END X-----\n", body);
	assert_int_equal(fclose(file), 0);
}

#define SITE_AUTHORITY                                       \
	"connector: {edges: [\"198.51.100.1:443\"], peer: {" \
	"ca_file: %s, pins: [\"" SITE_PIN "\"]}}"

/* Each apply reads the files again, and the tunnel is told of what is new in them and of nothing
 * else: it takes another key for connections that begin from then on. */
static void test_rotated(void **state)
{
	struct site *s = *state;
	char ca[sizeof(s->certificate) + 4], role[512];
	snprintf(ca, sizeof(ca), "%s.ca", s->certificate);
	site_write_pem(ca, 0644);
	snprintf(role, sizeof(role), SITE_AUTHORITY, ca);
	const struct {
		const char *key, *path;
	} files[] = {{"certificate", s->certificate}, {"key", s->key}, {"ca", ca}};
	struct client_reply r = {};

	site_call(s, "TunnelAttach", ",\"more\":true");
	assert_true(site_receive(s, &r));
	site_configure(s, role);
	assert_true(site_receive(s, &r));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char body[] = {(char)('B' + i), 'A', '=', '=', '\0'};
		write_pem_with(files[i].path, body);
		tunnel_step(s->context.tunnel);
		assert_false(site_receive(s, &r)); /* not before it is applied */
		site_configure(s, role);
		assert_true(site_receive(s, &r));
		sd_json_variant *tunnel = sd_json_variant_by_key(r.parameters, "tunnel");
		for (size_t j = 0; j < sizeof(files) / sizeof(files[0]); j++)
			assert_int_equal(!!strstr(client_text(tunnel, files[j].key), body), i == j);
		site_configure(s, role);
		assert_false(site_receive(s, &r)); /* nothing has changed */
	}
	client_reply_clear(&r);
	assert_int_equal(unlink(ca), 0);
}

/* As somebody else reports of it: one who says that an edge is connected. */
static void report_open(struct site *s)
{
	int attached = site_become(s, SERVER_TUNNEL);

	site_report(s,
		"\"peers\":[{\"open\":true,\"active\":true,\"seconds\":1,\"address\":\"w\"}]", "");
	close(s->client);
	s->client = attached;
}

static void check_goes_on(struct site *s, const char *role, const char *unusable)
{
	struct client_reply r = {};

	site_configure(s, role);
	assert_false(site_receive(s, &r));
	assert_true(site_has_condition(s, COND_TUNNEL_FILE_UNUSABLE, unusable));
	assert_false(site_has_condition(s, COND_TUNNEL_NOT_BEGUN, unusable));
	assert_false(site_has_condition(s, COND_TUNNEL_DISCONNECTED, "own0"));
	assert_int_equal(tunnel_view(s->context.tunnel).report->n_peers, 1);
}

/* An apply with a file that cannot be used ends no tunnel: it goes on with what the file held,
 * which is said, until the file is good again. Authorities of another name are another trust. */
static void test_spoiled(void **state)
{
	struct site *s = *state;
	char ca[sizeof(s->certificate) + 4], role[512];
	struct client_reply r = {};
	const char *const files[] = {s->certificate, s->key, ca};

	snprintf(ca, sizeof(ca), "%s.ca", s->certificate);
	snprintf(role, sizeof(role), SITE_AUTHORITY, ca);
	site_write_pem(ca, 0644);
	site_call(s, "TunnelAttach", ",\"more\":true");
	assert_true(site_receive(s, &r));
	site_configure(s, role);
	assert_true(site_receive(s, &r));
	report_open(s);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_int_equal(truncate(files[i], 3), 0);
		check_goes_on(s, role, files[i]);
		assert_int_equal(unlink(files[i]), 0);
		check_goes_on(s, role, files[i]);
		site_write_pem(files[i], 0600);
		site_configure(s, role);
		assert_false(site_has_condition(s, COND_TUNNEL_FILE_UNUSABLE, files[i]));
		assert_false(site_receive(s, &r)); /* it is what it was */
	}
	assert_int_equal(unlink(ca), 0);
	snprintf(role, sizeof(role), SITE_AUTHORITY, "/nowhere/ca");
	site_configure(s, role);
	assert_true(site_receive(s, &r));
	assert_null(sd_json_variant_by_key(r.parameters, "tunnel"));
	assert_true(site_has_condition(s, COND_TUNNEL_FILE_UNUSABLE, "/nowhere/ca"));
	assert_true(site_has_condition(s, COND_TUNNEL_NOT_BEGUN, "/nowhere/ca"));
	assert_int_equal(tunnel_view(s->context.tunnel).report->n_peers, 0);
	report_open(s); /* which was under way */
	assert_int_equal(tunnel_view(s->context.tunnel).report->n_peers, 0);
	client_reply_clear(&r);
}

/* A certificate is of no use without its key: half of what is new is not told. */
static void test_half_new(void **state)
{
	struct site *s = *state;
	struct client_reply r = {};

	site_call(s, "TunnelAttach", ",\"more\":true");
	assert_true(site_receive(s, &r));
	site_configure(s, SITE_CONNECTOR(""));
	assert_true(site_receive(s, &r));
	report_open(s);
	write_pem_with(s->certificate, "NEW=");
	write_pem_with(s->key, "NEW=");
	assert_int_equal(chmod(s->key, 0644), 0);
	check_goes_on(s, SITE_CONNECTOR(""), s->key);
	assert_int_equal(chmod(s->key, 0600), 0);
	site_configure(s, SITE_CONNECTOR(""));
	assert_true(site_receive(s, &r));
	sd_json_variant *tunnel = sd_json_variant_by_key(r.parameters, "tunnel");
	assert_non_null(strstr(client_text(tunnel, "certificate"), "NEW="));
	assert_non_null(strstr(client_text(tunnel, "key"), "NEW="));
	char *key = xstrdup(s->key);
	snprintf(s->key, sizeof(s->key), "/nowhere/key");
	check_goes_on(s, SITE_CONNECTOR(""), s->key);
	snprintf(s->key, sizeof(s->key), "%s", key);
	free(key);
	client_reply_clear(&r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_interface),
		TEST(test_foreign_interface),
		TEST(test_removed_by_name),
		TEST(test_remedy),
		TEST(test_deleted_interface),
		TEST(test_adopted),
		TEST(test_taken_back),
		TEST(test_attach),
		TEST(test_filters),
		TEST(test_memory),
		TEST(test_own_addresses),
		TEST(test_moved),
		TEST(test_moved6),
		TEST(test_both_families),
		TEST(test_no_socket),
		TEST(test_one_socket_and_no_key),
		TEST(test_open_key),
		TEST(test_rotated),
		TEST(test_spoiled),
		TEST(test_half_new),
	};

	if (!netns_may())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
