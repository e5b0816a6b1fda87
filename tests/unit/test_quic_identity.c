/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a peer of the quic room is: pinned, issued, neither; sessions that are resumed, keys that are
 * exchanged under way.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ssl.h>

#include "quic/tls.h"
#include "quic_pair.h"

/* Who is pinned, who has issued, and what comes of it. */
static const struct {
	const char *name;
	bool pinned, wrong_pin, ca, other_name;
	bool accepted;
	enum quic_cause cause; /* if it is not */
	const char *says;      /* part of the reason */
} PEERS[] = {
	{"pinned", true, false, false, false, true, 0, ""},
	{"another is pinned", true, true, false, false, false, QUIC_CAUSE_IDENTITY,
		"its key is sha256/"},
	{"issued", false, false, true, false, true, 0, ""},
	{"issued for another name", false, false, true, true, false, QUIC_CAUSE_CERTIFICATE,
		"hostname mismatch"},
	{"pinned, the name does not matter", true, false, false, true, true, 0, ""},
	{"pinned and issued", true, false, true, false, true, 0, ""},
	{"issued, but another is pinned", true, true, true, false, false, QUIC_CAUSE_IDENTITY,
		"its key is sha256/"},
	{"pinned, but issued for another name", true, false, true, true, false,
		QUIC_CAUSE_CERTIFICATE, "hostname mismatch"},
};

static void test_servers(void **)
{
	for (size_t i = 0; i < sizeof(PEERS) / sizeof(*PEERS); i++) {
		struct world *w = world_new();
		struct quic_identity *id = &w->client.config.identity;

		print_message("%s\n", PEERS[i].name);
		if (PEERS[i].other_name) {
			test_identity_clear(&w->server.identity);
			test_identity_make(&w->server.identity, "P-256", "other.mesh");
			w->server.config.identity.certificate = w->server.identity.certificate;
			w->server.config.identity.key = w->server.identity.key;
		}
		id->n_pins = PEERS[i].pinned;
		id->pins = PEERS[i].wrong_pin ? w->client.identity.pin : w->server.identity.pin;
		id->ca = PEERS[i].ca ? w->server.identity.certificate : "";
		world_start(w);
		world_dial(w);
		assert_int_equal(world_until(w, world_opened, 5), PEERS[i].accepted);
		if (!PEERS[i].accepted) {
			assert_int_equal(w->client.why.cause, PEERS[i].cause);
			assert_non_null(strstr(w->client.reason, PEERS[i].says));
		}
		world_free(w);
	}
}

/* An address in the place of a name: by the certificate's addresses (RFC 9110 s4.3.5), and not in
 * the ClientHello (RFC 6066 s3). */
static const struct {
	const char *dialled, *certificate;
	bool accepted;
} ADDRESSES[] = {
	{"198.51.100.1", "198.51.100.1", true},
	{"198.51.100.1", "198.51.100.2", false},
	{"198.51.100.1", "edge.mesh", false},
	{"2001:db8::1", "2001:db8::1", true},
	{"2001:db8::1", "2001:db8::2", false},
};

static bool names_itself(const char *name)
{
	struct world *w = world_new();
	struct quic_tls *tls;
	struct err err = {};
	SSL *ssl;
	bool named;

	assert_int_equal(quic_tls_new(&tls, &w->client.config.identity, nullptr, &err), 0);
	ssl = quic_tls_session(tls, false, name);
	assert_non_null(ssl);
	named = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	SSL_free(ssl);
	quic_tls_unref(tls);
	world_free(w);
	return named;
}

static void test_addresses(void **)
{
	assert_true(names_itself("edge.mesh"));
	assert_false(names_itself(""));
	for (size_t i = 0; i < sizeof(ADDRESSES) / sizeof(*ADDRESSES); i++) {
		struct world *w = world_new();
		struct test_identity *server = &w->server.identity;

		assert_false(names_itself(ADDRESSES[i].dialled));
		test_identity_clear(server);
		test_identity_make(server, "P-256", ADDRESSES[i].certificate);
		w->server.config.identity.certificate = server->certificate;
		w->server.config.identity.key = server->key;
		w->client.config.identity.n_pins = 0;
		w->client.config.identity.ca = server->certificate;
		w->server_name = ADDRESSES[i].dialled;
		world_start(w);
		world_dial(w);
		assert_int_equal(world_until(w, world_opened, 5), ADDRESSES[i].accepted);
		world_free(w);
	}
}

/* Who has signed whom. */
enum {
	ROOT,
	OTHER_ROOT,
	OLD_ROOT,
	MIDDLE,
	OLD_MIDDLE,
	OTHER_LEAF,
	BY_ROOT,
	BY_MIDDLE,
	BY_OLD_ROOT,
	BY_OLD_MIDDLE,
	BY_LEAF,
	ISSUED
};
static const struct {
	const char *name;
	enum test_issue what;
	int by; /* itself: self-signed */
} ISSUES[ISSUED] = {
	[ROOT] = {"mesh CA", TEST_ISSUE_CA, ROOT},
	[OTHER_ROOT] = {"mesh CA", TEST_ISSUE_CA, OTHER_ROOT},
	[OLD_ROOT] = {"old CA", TEST_ISSUE_EXPIRED_CA, OLD_ROOT},
	[MIDDLE] = {"middle CA", TEST_ISSUE_CA, ROOT},
	[OLD_MIDDLE] = {"old middle CA", TEST_ISSUE_EXPIRED_CA, ROOT},
	[OTHER_LEAF] = {"site1.mesh", TEST_ISSUE_LEAF, ROOT},
	[BY_ROOT] = {"edge.mesh", TEST_ISSUE_LEAF, ROOT},
	[BY_MIDDLE] = {"edge.mesh", TEST_ISSUE_LEAF, MIDDLE},
	[BY_OLD_ROOT] = {"edge.mesh", TEST_ISSUE_LEAF, OLD_ROOT},
	[BY_OLD_MIDDLE] = {"edge.mesh", TEST_ISSUE_LEAF, OLD_MIDDLE},
	[BY_LEAF] = {"edge.mesh", TEST_ISSUE_LEAF, OTHER_LEAF},
};

#define EXPIRED(whose) \
	"certificate has expired" whose ": 2026-01-01 00:00:00Z to 2026-02-01 00:00:00Z"

/* RFC 5280 s6.1. What the server shows, and whom the client trusts. */
static const struct {
	const char *name;
	int leaf, middle; /* the same: none is shown */
	int ca;
	const char *says; /* nullptr = accepted */
} CHAINS[] = {
	{"CA, leaf", BY_ROOT, BY_ROOT, ROOT, nullptr},
	{"CA, intermediate, leaf", BY_MIDDLE, MIDDLE, ROOT, nullptr},
	{"an intermediate that is not shown", BY_MIDDLE, BY_MIDDLE, ROOT,
		"unable to get local issuer certificate"},
	{"another CA of that name", BY_ROOT, BY_ROOT, OTHER_ROOT, "certificate signature failure"},
	{"another CA", BY_ROOT, BY_ROOT, OLD_ROOT, "unable to get local issuer certificate"},
	{"an expired CA", BY_OLD_ROOT, BY_OLD_ROOT, OLD_ROOT, EXPIRED(" (authority old CA)")},
	{"an expired intermediate", BY_OLD_MIDDLE, OLD_MIDDLE, ROOT,
		EXPIRED(" (authority old middle CA)")},
	{"a leaf that issues", BY_LEAF, OTHER_LEAF, ROOT,
		"invalid CA certificate (authority site1.mesh)"},
};

static void check_chain(size_t i, const struct test_identity ids[static ISSUED])
{
	const struct test_identity *leaf = &ids[CHAINS[i].leaf], *middle = &ids[CHAINS[i].middle];
	struct world *w = world_new();
	struct quic_identity *id = &w->client.config.identity;
	struct err err = {};
	char shown[4096];

	print_message("%s\n", CHAINS[i].name);
	snprintf(shown, sizeof(shown), "%s%s", leaf->certificate,
		middle == leaf ? "" : middle->certificate);
	w->server.config.identity.certificate = shown;
	w->server.config.identity.key = leaf->key;
	id->n_pins = 0;
	id->ca = ids[CHAINS[i].ca].certificate;
	world_start(w);
	world_dial(w);
	assert_int_equal(world_until(w, world_opened, 5), !CHAINS[i].says);
	if (CHAINS[i].says) {
		assert_int_equal(w->client.why.cause, QUIC_CAUSE_CERTIFICATE);
		assert_string_equal(w->client.reason, CHAINS[i].says);
	} else { /* the whole chain is judged again: after resumption, at a reload */
		world_run(w, 100 * MS);
		pair_redial(w);
		assert_true(world_until(w, world_opened, 5));
		assert_true(w->client.peer.resumed);
		assert_int_equal(quic_endpoint_reload(w->client.endpoint, id, w->now, &err), 0);
		world_run(w, SECOND);
		assert_int_equal(w->client.closed, 0);
		id->ca = ids[OLD_ROOT].certificate;
		assert_int_equal(quic_endpoint_reload(w->client.endpoint, id, w->now, &err), 0);
		assert_true(world_until(w, pair_client_closed, 5));
		assert_int_equal(w->client.why.cause, QUIC_CAUSE_CERTIFICATE);
	}
	world_free(w);
}

static void test_chains(void **)
{
	struct test_identity ids[ISSUED] = {};

	for (int i = 0; i < ISSUED; i++)
		test_identity_issue(&ids[i], ISSUES[i].name, ISSUES[i].what,
			ISSUES[i].by == i ? nullptr : &ids[ISSUES[i].by]);
	for (size_t i = 0; i < sizeof(CHAINS) / sizeof(*CHAINS); i++)
		check_chain(i, ids);
	for (int i = 0; i < ISSUED; i++)
		test_identity_clear(&ids[i]);
}

/* The server says why in an alert (RFC 9001 s4.8), and its owner is not bothered. */
static void test_client_refused(void **state)
{
	struct world *w = *state;

	w->server.config.identity.pins = w->server.identity.pin;
	world_start(w);
	world_dial(w);
	assert_true(world_until(w, pair_client_closed, 5));
	assert_int_equal(w->client.why.cause, QUIC_CAUSE_PEER);
	assert_false(w->client.why.application);
	assert_in_range(w->client.why.code, 0x100, 0x1ff);
	assert_memory_equal(w->client.reason, "TLS alert: ", 11);
	assert_int_equal(w->server.established + w->server.closed + w->server.requests, 0);
	assert_int_equal(quic_endpoint_counters(w->server.endpoint)->handshakes_failed, 1);
}

/* What the configuration says wrong is a sentence, and nothing is made. */
static void test_bad_identity(void **state)
{
	struct world *w = *state;
	const struct quic_identity good = w->client.config.identity;
	struct quic_identity *id = &w->client.config.identity;
	struct quic_events events = {};
	struct quic_endpoint *e;
	struct test_identity weak = {};

	test_identity_make(&weak, "P-192", "edge.mesh");
	for (int i = 0; i < 7; i++) {
		struct err err = {};
		int code = i < 3 || i == 6 ? QUIC_BAD_PAIR : i == 4 ? QUIC_BAD_CA : EINVAL;

		*id = good;
		id->certificate = i == 0 ? "nonsense" : i == 6 ? weak.certificate : id->certificate;
		id->key = i == 1   ? "nonsense"
			  : i == 2 ? w->server.identity.key
			  : i == 6 ? weak.key
				   : id->key;
		id->n_pins = i == 3 ? 0 : id->n_pins;
		id->ca = i == 4 ? "nonsense" : nullptr;
		id->groups = i == 5 ? "X25519:NOSUCHGROUP" : nullptr;
		assert_int_equal(
			quic_endpoint_new(&e, &w->client.config, &events, nullptr, 1, &err), -code);
		assert_true(err.msg[0]);
	}
	test_identity_clear(&weak);
}

/* Sessions are resumed, once each, with a fresh exchange of keys; there is no early data. */
static void test_resumption(void **state)
{
	struct world *w = pair_open(*state);

	assert_false(w->client.peer.resumed);
	world_run(w, 100 * MS);
	pair_redial(w);
	assert_true(world_until(w, world_opened, 5));
	assert_true(w->client.peer.resumed);
	assert_true(w->server.peer.resumed);
	assert_string_equal(w->client.peer.group, "X25519MLKEM768");
	assert_memory_equal(w->server.peer.key, w->client.identity.pin[0], QUIC_KEY_DIGEST);
}

/* Who takes what. A client sends shares of its first two groups. */
static const struct {
	const char *client, *server; /* nullptr: as it comes */
	bool retry;
	const char *group;
	unsigned int trips; /* there and back, until the answer to the request is there */
} GROUPS[] = {
	{nullptr, nullptr, false, "X25519MLKEM768", 3},
	{nullptr, "P-256", false, "secp256r1", 4},
	{"P-521:P-384:X25519MLKEM768", nullptr, false, "X25519MLKEM768", 4},
	{"X25519:P-256:X25519MLKEM768", nullptr, false, "X25519MLKEM768", 4},
	{"P-256:P-384:X25519", nullptr, false, "secp256r1", 3},
	{"P-521:P-384:X25519MLKEM768", nullptr, true, "X25519MLKEM768", 5},
};

/* RFC 8446 s4.1.4: HelloRetryRequest, one round trip more; RFC 9000 s8.1.2: and one for a Retry. */
static void test_hello_retry(void **)
{
	for (size_t i = 0; i < sizeof(GROUPS) / sizeof(*GROUPS); i++) {
		struct world *w = world_new();
		uint64_t begin = w->now;

		w->client.config.identity.groups = GROUPS[i].client;
		w->server.config.identity.groups = GROUPS[i].server;
		w->server.config.limits.retry_always = GROUPS[i].retry;
		world_start(w);
		world_dial(w);
		assert_true(world_until(w, world_opened, 5));
		assert_int_equal((w->now - begin) / (2 * w->net.delay_ns), GROUPS[i].trips);
		assert_string_equal(w->client.peer.group, GROUPS[i].group);
		assert_string_equal(w->server.peer.group, GROUPS[i].group);
		world_free(w);
	}
}

/* New certificate and key: who is connected stays, who comes sees the new one. */
static void test_rotation(void **state)
{
	struct world *w = pair_open(*state);
	struct test_identity next = {};
	struct quic_identity server = w->server.config.identity;
	struct quic_identity client = w->client.config.identity;
	struct err err = {};

	test_identity_make(&next, "P-256", "edge.mesh");
	server.certificate = next.certificate;
	server.key = next.key;
	client.pins = next.pin;
	assert_int_equal(quic_endpoint_reload(w->server.endpoint, &server, w->now, &err), 0);
	world_run(w, SECOND);
	assert_int_equal(w->client.closed + w->server.closed, 0);
	/* The old key is not accepted by the client any more. */
	assert_int_equal(quic_endpoint_reload(w->client.endpoint, &client, w->now, &err), 0);
	assert_true(world_until(w, world_closed, 5));
	assert_int_equal(w->client.why.cause, QUIC_CAUSE_IDENTITY);
	pair_redial(w);
	assert_true(world_until(w, world_opened, 5));
	assert_false(w->client.peer.resumed);
	assert_memory_equal(w->client.peer.key, next.pin[0], QUIC_KEY_DIGEST);
	test_identity_clear(&next);
}

/* A reload that fails changes nothing; one that drops a pin ends that peer's connection. */
static void test_unpinned(void **state)
{
	struct world *w = pair_open(*state);
	struct quic_identity server = w->server.config.identity;
	struct err err = {};

	server.key = "nonsense";
	assert_int_equal(
		quic_endpoint_reload(w->server.endpoint, &server, w->now, &err), -QUIC_BAD_PAIR);
	world_run(w, SECOND);
	assert_int_equal(w->server.closed, 0);
	server.key = w->server.identity.key;
	server.pins = w->server.identity.pin;
	assert_int_equal(quic_endpoint_reload(w->server.endpoint, &server, w->now, &err), 0);
	assert_true(world_until(w, world_closed, 5));
	assert_int_equal(w->server.why.cause, QUIC_CAUSE_IDENTITY);
	pair_redial(w);
	assert_false(world_until(w, world_opened, 5)); /* nor by the ticket it has */
}

/* The client's first flight is there, its certificate is not. */
static bool is_greeted(struct world *w)
{
	return quic_endpoint_status(w->server.endpoint).unauthenticated > 0;
}

/* A reload reaches handshakes that are under way. */
static void test_unpinned_under_way(void **state)
{
	struct world *w = *state;
	struct quic_identity server = w->server.config.identity;
	struct err err = {};

	world_start(w);
	world_dial(w);
	assert_true(world_until(w, is_greeted, 5));
	server.pins = w->server.identity.pin;
	assert_int_equal(quic_endpoint_reload(w->server.endpoint, &server, w->now, &err), 0);
	assert_true(world_until(w, pair_client_closed, 5));
	assert_int_equal(w->client.why.cause, QUIC_CAUSE_PEER);
	assert_int_equal(w->server.established + w->server.closed + w->server.requests, 0);
	assert_int_equal(quic_endpoint_counters(w->server.endpoint)->handshakes_failed, 1);
}

/* Who is accepted by the next rules, too, comes in. */
static void test_pinned_under_way(void **state)
{
	struct world *w = *state;
	struct err err = {};

	world_start(w);
	world_dial(w);
	assert_true(world_until(w, is_greeted, 5));
	assert_int_equal(
		quic_endpoint_reload(w->server.endpoint, &w->server.config.identity, w->now, &err),
		0);
	assert_true(world_until(w, world_opened, 5));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_chains),
		TEST(test_client_refused),
		TEST(test_bad_identity),
		TEST(test_resumption),
		cmocka_unit_test(test_hello_retry),
		TEST(test_rotation),
		TEST(test_unpinned),
		TEST(test_unpinned_under_way),
		TEST(test_pinned_under_way),
	};

	return cmocka_run_group_tests(tests, nullptr, nullptr);
}
