/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * bridge_site: meshgwd's side of the HTTP bridge, at work on a gateway in memory, and clients of
 * the socket that is the bridge's own. Listening sockets are real, on addresses that this host need
 * not have. A probe that answers every name with site.addresses stands for meshgw-probe.
 */
#include "daemon/bridge.h"
#include "gateway_client.h"
#include "world.h"

#define SITE_LAN "lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n"
#define SITE_ROUTES "routes: [{host: a, upstream: \"http://10.0.1.50\"}]"

struct site {
	struct world w;
	struct conditions conditions;
	struct server_context context;
	struct server *server;
	sd_event *event;
	sd_varlink_server *probe; /* stands for meshgw-probe */
	const char *addresses;    /* that it answers, a JSON list */
	char probe_path[80];
	unsigned changes, questions;
	uint16_t port;
};

/* Of cmocka: *state is a struct site. */
int site_setup(void **state);
int site_teardown(void **state);

/* A port that nobody has, now. */
uint16_t site_free_port(void);
/* A port of 127.0.0.1 where nobody listens, as long as the caller keeps the descriptor. */
int site_dead_port(unsigned *port);
/* fmt: the mapping below bridge. */
[[gnu::format(printf, 2, 3)]] void site_configure(struct site *s, const char *fmt, ...);

/* A client of its socket; the caller closes it. */
[[nodiscard]] int site_connect(struct site *s);
[[nodiscard]] bool site_receive(struct site *s, int fd, struct client_reply *out);
uint64_t site_generation(const struct client_reply *r);
/* Of the first route's first upstream. */
size_t site_count_addresses(const struct client_reply *r);
/* The text of the next message, "" if there is none within so many seconds. Good until the next. */
const char *site_hear(struct site *s, int fd, unsigned seconds);

const struct bridge_listeners *site_listeners(const struct site *s);
bool site_has_condition(const struct site *s, enum condition_code code, const char *subject);
