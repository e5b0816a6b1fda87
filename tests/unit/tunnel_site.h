/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tunnel_site: meshgwd's side of the tunnel, at work on a gateway whose kernel is one in memory,
 * and a client of the socket that is the tunnel's own. Interface, addresses and sockets are real,
 * in a network namespace of the test's own.
 */
#include "daemon/tunnel.h"
#include "gateway_client.h"
#include "net/link.h"
#include "netns.h"
#include "world.h"
#include <sys/types.h>

#define SITE_PIN "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
/* Roles, as they stand below tunnel. */
#define SITE_CONNECTOR(more) \
	"connector: {edges: [\"198.51.100.1:443\"], peer: {pins: [\"" SITE_PIN "\"]}" more "}"
#define SITE_EDGE_AT(listen, more)                                                           \
	"edge: {listen: [" listen "], " more "nodes: [{name: n, replicas: [{name: r, pins: " \
	"[\"" SITE_PIN "\"]}]}]}"
#define SITE_EDGE_WITH(more) SITE_EDGE_AT("\"127.0.0.1:4433\"", more)
#define SITE_EDGE SITE_EDGE_WITH("")

struct site {
	struct netns *ns;
	struct world w;
	struct conditions conditions;
	struct server_context context;
	struct server *server;
	sd_event *event;
	unsigned changes;
	char certificate[96], key[96];
	char probe_path[96]; /* where meshgw-probe would be */
	int client;          /* who calls and listens; closed with the site */
};

/* Of cmocka: *state is a struct site. */
int site_setup(void **state);
int site_teardown(void **state);

/* role: what stands below tunnel, behind the files. */
void site_configure(struct site *s, const char *role);
/* A file that passes for a certificate, or a key. */
void site_write_pem(const char *path, mode_t mode);

/* As s->client: client_call(), client_receive(). */
void site_call(struct site *s, const char *method, const char *rest);
[[nodiscard]] bool site_receive(struct site *s, struct client_reply *out);
/* s->client is a new one, of this socket, from now on; the caller has the one before. */
[[nodiscard]] int site_become(struct site *s, enum server_socket which);
/* TunnelReport, which is taken. tunnel: its members; more: what follows them. */
void site_report(struct site *s, const char *tunnel, const char *more);

bool site_find_link(const struct site *s, const char *name, struct link *out);
bool site_has_address(const struct site *s, const char *name, const char *address);
bool site_has_condition(const struct site *s, enum condition_code code, const char *subject);
