/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge_site.h"
#include "daemon/clock.h"
#include "lib/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int answer(sd_varlink *link, sd_json_variant *, sd_varlink_method_flags_t, void *userdata)
{
	struct site *s = userdata;
	autojson sd_json_variant *list = nullptr, *facts = nullptr;

	s->questions++;
	assert_true(sd_json_parse(s->addresses, 0, &list, nullptr, nullptr) >= 0);
	assert_true(sd_json_variant_new_array(&facts, nullptr, 0) >= 0);
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("addresses", list),
		SD_JSON_BUILD_PAIR_VARIANT("facts", facts));
}

static void on_change(void *arg)
{
	struct site *s = arg;

	s->changes++;
	bridge_step(s->context.bridge);
}

static void start_probe(struct site *s)
{
	snprintf(s->probe_path, sizeof(s->probe_path), "%s/probe", s->w.dir);
	assert_true(sd_varlink_server_new(&s->probe, SD_VARLINK_SERVER_INHERIT_USERDATA) >= 0);
	sd_varlink_server_set_userdata(s->probe, s);
	assert_true(
		sd_varlink_server_bind_method(s->probe, "io.meshgw.Probe.Resolve", answer) >= 0);
	assert_true(sd_varlink_server_listen_address(s->probe, s->probe_path, 0600) >= 0);
	assert_true(sd_varlink_server_attach_event(s->probe, s->event, 0) >= 0);
}

int site_dead_port(unsigned *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

uint16_t site_free_port(void)
{
	unsigned port;

	close(site_dead_port(&port));
	return (uint16_t)port;
}

int site_setup(void **state)
{
	struct site *s = calloc(1, sizeof(*s));
	struct err err = {};

	assert_non_null(s);
	world_init(&s->w, world_host);
	s->context = (struct server_context){.reload = &s->w.reload,
		.conditions = &s->conditions,
		.changed = on_change,
		.arg = s};
	s->addresses = "[]";
	s->port = site_free_port();
	assert_true(sd_event_new(&s->event) >= 0);
	start_probe(s);
	s->context.bridge = bridge_new(s->event, &s->context, "nobody", s->probe_path);
	assert_int_equal(server_new(s->event, s->w.dir, &s->context, &s->server, &err), 0);
	*state = s;
	return 0;
}

int site_teardown(void **state)
{
	struct site *s = *state;

	client_serve(s->event); /* a connection ends when its client's end is noticed */
	bridge_free(s->context.bridge);
	server_free(s->server);
	sd_varlink_server_unref(s->probe);
	(void)unlink(s->probe_path);
	sd_event_unref(s->event);
	world_clear(&s->w);
	conditions_clear(&s->conditions);
	free(s);
	return 0;
}

[[gnu::format(printf, 2, 3)]] void site_configure(struct site *s, const char *fmt, ...)
{
	char section[2048], text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(section, sizeof(section), fmt, ap);
	va_end(ap);
	snprintf(text, sizeof(text), SITE_LAN "bridge: %s\n", section);
	world_enter(&s->w, text);
	world_run(&s->w, WORLD_SECOND);
	bridge_step(s->context.bridge);
}

int site_connect(struct site *s)
{
	return client_connect(s->server, SERVER_BRIDGE);
}

bool site_receive(struct site *s, int fd, struct client_reply *out)
{
	return client_receive(s->event, fd, out);
}

uint64_t site_generation(const struct client_reply *r)
{
	return sd_json_variant_unsigned(sd_json_variant_by_key(r->parameters, "generation"));
}

size_t site_count_addresses(const struct client_reply *r)
{
	sd_json_variant *v = sd_json_variant_by_key(r->parameters, "bridge");
	v = sd_json_variant_by_index(sd_json_variant_by_key(v, "routes"), 0);
	v = sd_json_variant_by_index(sd_json_variant_by_key(v, "upstreams"), 0);
	return sd_json_variant_elements(sd_json_variant_by_key(v, "addresses"));
}

const struct bridge_listeners *site_listeners(const struct site *s)
{
	return bridge_view(s->context.bridge).listeners;
}

bool site_has_condition(const struct site *s, enum condition_code code, const char *subject)
{
	struct conditions all = {};

	bridge_health(s->context.bridge, &all);
	bool found = conditions_find(&all, code, subject) != nullptr;
	conditions_clear(&all);
	return found;
}

const char *site_hear(struct site *s, int fd, unsigned seconds)
{
	static char text[1 << 20];
	uint64_t deadline = clock_monotonic_us() + seconds * WORLD_SECOND;
	ssize_t n = -1;

	while (n < 0 && clock_monotonic_us() < deadline) {
		(void)sd_event_run(s->event, 20'000);
		n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	}
	text[n > 0 ? n : 0] = '\0';
	return text;
}
