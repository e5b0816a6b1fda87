/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tunnel_names.h"
#include "daemon/clock.h"
#include "daemon/json_make.h"
#include "daemon/server.h"
#include "diagnose/probe_link.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

constexpr size_t NAME_MAX_LENGTH = 253; /* RFC 1035 2.3.4, as text */
constexpr size_t LABEL_MAX_LENGTH = 63;
/* Our own deadline comes first, so that what is late is known as late. */
constexpr uint64_t PROBE_US = TUNNEL_NAMES_US + 500'000;

struct question {
	struct question *next;
	struct tunnel_names *all;
	sd_varlink *link; /* of the caller */
	void *client;
	struct probe_link *probe;
	sd_event_source *timer;
};

struct tunnel_names {
	const char *socket;
	struct question *list;
	size_t n;
	uint64_t due_us; /* when the bucket is full again */
};

/* ---- what is a name ---- */

static bool is_number(const char *label, size_t n)
{
	if (strspn(label, "0123456789") == n)
		return true;
	return n >= 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X') &&
	       2 + strspn(label + 2, "0123456789abcdefABCDEF") == n;
}

/* inet_aton(3), which getaddrinfo(3) asks first, takes names that end in a number. */
bool tunnel_name_is_host(const char *name)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_";

	if (strlen(name) > NAME_MAX_LENGTH)
		return false;
	for (const char *label = name;;) {
		size_t n = strspn(label, chars);
		if (n == 0 || n > LABEL_MAX_LENGTH || label[0] == '-' || label[n - 1] == '-')
			return false;
		if (label[n] == '\0' || strcmp(label + n, ".") == 0)
			return !is_number(label, n);
		if (label[n] != '.')
			return false;
		label += n + 1;
	}
}

/* ---- answers ---- */

static int reply_none(sd_varlink *link, const char *reason, const char *message)
{
	autojson sd_json_variant *none = json_array();

	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("addresses", none),
		SD_JSON_BUILD_PAIR_STRING("reason", reason),
		SD_JSON_BUILD_PAIR_STRING("message", message));
}

static int reply_addresses(sd_varlink *link, const struct probe_addresses *found)
{
	autojson sd_json_variant *list = json_array();
	char text[ADDR_STRLEN];

	for (size_t i = 0; i < found->n; i++)
		json_append_text(&list, addr_str(&found->list[i], text));
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("addresses", list));
}

/* Why there is none. */
static int reply_facts(sd_varlink *link, const struct evidence *facts)
{
	size_t at = 0;
	const struct fact *f = evidence_next(facts, FACT_L7, &at);

	if (!f || f->l7.ask != L7_DNS || f->l7.outcome == L7_OK)
		return reply_none(link, "failed", "meshgw-probe does not answer");
	return reply_none(link, f->l7.outcome == L7_NAME ? "no-address" : "failed", f->l7.text);
}

static void question_free(struct question *q)
{
	struct question **at = &q->all->list;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	q->all->n--;
	server_on_gone(q->client, nullptr, nullptr);
	sd_event_source_disable_unref(q->timer);
	probe_link_free(q->probe);
	sd_varlink_unref(q->link);
	free(q);
}

static void on_found(void *arg, const struct evidence *facts, const struct probe_addresses *found)
{
	struct question *q = arg;

	if (found->n)
		(void)reply_addresses(q->link, found);
	else
		(void)reply_facts(q->link, facts);
	question_free(q);
}

static int on_late(sd_event_source *, uint64_t, void *userdata)
{
	struct question *q = userdata;

	(void)reply_none(q->link, "late", "no answer in time");
	question_free(q);
	return 0;
}

static void on_gone(void *arg)
{
	question_free(arg);
}

/* ---- questions ---- */

static bool is_too_often(struct tunnel_names *n)
{
	uint64_t now_us = clock_monotonic_us();

	if (n->due_us < now_us)
		n->due_us = now_us;
	if (n->due_us - now_us > (TUNNEL_NAMES_BURST - 1) * TUNNEL_NAMES_GAP_US)
		return true;
	n->due_us += TUNNEL_NAMES_GAP_US;
	return false;
}

static int begin(struct question *q, const char *name)
{
	sd_event *event = sd_varlink_get_event(q->link);
	struct flow flow = {};
	struct err err = {};
	const struct probe_options o = {.socket = q->all->socket,
		.flow = &flow,
		.timeout_us = PROBE_US,
		.done = on_found,
		.arg = q};

	snprintf(flow.host, sizeof(flow.host), "%s", name);
	if (sd_event_add_time_relative(
		    event, &q->timer, CLOCK_MONOTONIC, TUNNEL_NAMES_US, 1000, on_late, q) < 0)
		out_of_memory();
	return probe_link_resolve(event, &o, &q->probe, &err);
}

int tunnel_names_ask(struct tunnel_names *n, sd_varlink *link, void *client, const char *name)
{
	if (n->n == TUNNEL_NAMES_AT_ONCE || is_too_often(n))
		return reply_none(link, "busy", "too many names are asked for");
	struct question *q = xcalloc(1, sizeof(*q));
	*q = (struct question){
		.next = n->list, .all = n, .link = sd_varlink_ref(link), .client = client};
	n->list = q;
	n->n++;
	if (begin(q, name) < 0) {
		question_free(q);
		return reply_none(link, "failed", "meshgw-probe does not answer");
	}
	server_takes(client, TUNNEL_NAMES_US);
	server_on_gone(client, on_gone, q);
	return 0;
}

/* ---- life ---- */

struct tunnel_names *tunnel_names_new(const char *probe_socket)
{
	struct tunnel_names *n = xcalloc(1, sizeof(*n));

	n->socket = probe_socket;
	return n;
}

void tunnel_names_free(struct tunnel_names *n)
{
	if (!n)
		return;
	for (struct question *q = n->list, *next; q; q = next) {
		next = q->next;
		question_free(q);
	}
	free(n);
}
