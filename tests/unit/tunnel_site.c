/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/own.h"
#include "tunnel_site.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void on_change(void *arg)
{
	struct site *s = arg;

	s->changes++;
}

void site_write_pem(const char *path, mode_t mode)
{
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	static const char pem[] = "-----BEGIN X-----\nAA==\n-----END X-----\n";

	assert_true(fd >= 0);
	assert_int_equal(write(fd, pem, strlen(pem)), (ssize_t)strlen(pem));
	assert_int_equal(fchmod(fd, mode), 0);
}

int site_setup(void **state)
{
	struct site *s = calloc(1, sizeof(*s));
	void *ns;
	struct err err = {};

	assert_non_null(s);
	assert_int_equal(netns_setup(&ns), 0);
	s->ns = ns;
	world_init(&s->w, world_host);
	snprintf(s->certificate, sizeof(s->certificate), "%s/crt", s->w.dir);
	snprintf(s->key, sizeof(s->key), "%s/key", s->w.dir);
	snprintf(s->probe_path, sizeof(s->probe_path), "%s/probe", s->w.dir);
	site_write_pem(s->certificate, 0644);
	site_write_pem(s->key, 0600);
	s->context = (struct server_context){.reload = &s->w.reload,
		.conditions = &s->conditions,
		.changed = on_change,
		.arg = s};
	assert_true(sd_event_new(&s->event) >= 0);
	s->context.tunnel = tunnel_new(&s->context, "nobody", s->probe_path);
	assert_int_equal(server_new(s->event, s->w.dir, &s->context, &s->server, &err), 0);
	s->client = client_connect(s->server, SERVER_TUNNEL);
	*state = s;
	return 0;
}

int site_teardown(void **state)
{
	struct site *s = *state;
	void *ns = s->ns;

	close(s->client);
	client_serve(s->event);
	server_free(s->server);
	tunnel_free(s->context.tunnel);
	sd_event_unref(s->event);
	(void)unlink(s->certificate);
	(void)unlink(s->key);
	world_clear(&s->w);
	conditions_clear(&s->conditions);
	free(s);
	return netns_teardown(&ns);
}

void site_configure(struct site *s, const char *role)
{
	char text[2048];

	snprintf(text, sizeof(text),
		"mesh: {interface: own0, ranges: {sites: [10.9.0.0/16]}}\n"
		"lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n"
		"tunnel: {certificate_file: %s, key_file: %s, %s}\n",
		s->certificate, s->key, role);
	world_enter(&s->w, text);
	tunnel_step(s->context.tunnel);
}

void site_call(struct site *s, const char *method, const char *rest)
{
	client_call(s->client, method, rest);
}

bool site_receive(struct site *s, struct client_reply *out)
{
	return client_receive(s->event, s->client, out);
}

int site_become(struct site *s, enum server_socket which)
{
	int before = s->client;

	s->client = client_connect(s->server, which);
	return before;
}

void site_report(struct site *s, const char *tunnel, const char *more)
{
	char text[768];
	struct client_reply r = {};

	snprintf(text, sizeof(text), ",\"parameters\":{\"generation\":1,\"tunnel\":{%s}%s}", tunnel,
		more);
	site_call(s, "TunnelReport", text);
	assert_true(site_receive(s, &r));
	assert_string_equal(r.error, "");
	client_reply_clear(&r);
}

bool site_find_link(const struct site *s, const char *name, struct link *out)
{
	struct link_set links = {};

	assert_int_equal(link_dump(s->ns->nl, &links, nullptr), 0);
	const struct link *l = link_by_name(&links, name);
	if (l)
		*out = *l;
	link_set_clear(&links);
	return l != nullptr;
}

bool site_has_address(const struct site *s, const char *name, const char *address)
{
	struct ifaddr_set all = {};
	struct addr want = netns_addr(address);
	struct link link = {};
	bool found = false;

	assert_true(site_find_link(s, name, &link));
	assert_int_equal(ifaddr_dump(s->ns->nl, &all, nullptr), 0);
	for (size_t i = 0; i < all.n; i++)
		found |= all.list[i].ifindex == link.ifindex &&
			 addr_cmp(&all.list[i].address, &want) == 0;
	ifaddr_set_clear(&all);
	return found;
}

bool site_has_condition(const struct site *s, enum condition_code code, const char *subject)
{
	struct conditions all = {};

	tunnel_health(s->context.tunnel, &all);
	bool found = conditions_find(&all, code, subject) != nullptr;
	conditions_clear(&all);
	return found;
}
