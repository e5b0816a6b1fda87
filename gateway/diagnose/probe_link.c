/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/probe_link.h"
#include "diagnose/told.h"
#include "lib/api_probe.h"
#include "lib/json.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-varlink.h>

constexpr uint32_t KINDS = 1U << FACT_L7 | 1U << FACT_MISSING;

struct probe_link {
	sd_varlink *link;
	void (*done)(void *arg, const struct evidence *facts, const struct probe_addresses *found);
	void *arg;
};

static void add_missing(struct evidence *facts, const char *why)
{
	struct fact_missing *m = &evidence_add(facts, FACT_MISSING)->missing;
	m->observer = OBSERVER_L7;
	snprintf(m->why, sizeof(m->why), "meshgw-probe: %.100s", why);
}

static void read_addresses(sd_json_variant *parameters, struct probe_addresses *found)
{
	sd_json_variant *list = sd_json_variant_by_key(parameters, "addresses");

	for (size_t i = 0; sd_json_variant_is_array(list) && i < sd_json_variant_elements(list) &&
			   found->n < PROBE_ADDRESSES_MAX;
		i++) {
		sd_json_variant *one = sd_json_variant_by_index(list, i);
		if (sd_json_variant_is_string(one) &&
			addr_parse(sd_json_variant_string(one), &found->list[found->n]) == 0)
			found->n++;
	}
}

static int on_reply(sd_varlink *, sd_json_variant *parameters, const char *error_id,
	sd_varlink_reply_flags_t, void *userdata)
{
	struct probe_link *p = userdata;
	struct evidence facts = {};
	struct probe_addresses found = {};
	struct err err = {};

	if (error_id) {
		add_missing(&facts, error_id);
	} else if (told_read(sd_json_variant_by_key(parameters, "facts"), KINDS, &facts, &err) <
		   0) {
		evidence_clear(&facts);
		add_missing(&facts, err.msg);
	} else {
		read_addresses(parameters, &found);
	}
	p->done(p->arg, &facts, &found);
	evidence_clear(&facts);
	return 0;
}

static int begin(struct probe_link *p, sd_event *event, const char *socket, const char *method,
	sd_json_variant *request)
{
	int r = sd_varlink_connect_address(&p->link, socket);

	if (r < 0)
		return r;
	sd_varlink_set_userdata(p->link, p);
	r = sd_varlink_bind_reply(p->link, on_reply);
	if (r >= 0)
		r = sd_varlink_attach_event(p->link, event, SD_EVENT_PRIORITY_NORMAL);
	return r < 0 ? r : sd_varlink_invoke(p->link, method, request);
}

static int ask(sd_event *event, const struct probe_options *o, const char *method,
	sd_json_variant *request, struct probe_link **out, struct err *err)
{
	struct probe_link *p = xcalloc(1, sizeof(*p));

	p->done = o->done;
	p->arg = o->arg;
	int r = begin(p, event, o->socket, method, request);
	if (r < 0) {
		probe_link_free(p);
		return err_set(err, -r, "meshgw-probe cannot be reached at %s: %s", o->socket,
			strerror(-r));
	}
	*out = p;
	return 0;
}

static const char *scheme_of(const struct flow *flow)
{
	static const char *const names[SCHEMES] = {"none", "http", "https"};
	return names[flow->scheme];
}

static void add_tls(sd_json_variant **request, const struct probe_tls *tls)
{
	int r = 0;

	if (tls && tls->server_name)
		r = sd_json_variant_set_field_string(request, "serverName", tls->server_name);
	if (r >= 0 && tls && tls->ca)
		r = sd_json_variant_set_field_string(request, "ca", tls->ca);
	if (r < 0)
		out_of_memory();
}

int probe_link_ask(
	sd_event *event, const struct probe_options *o, struct probe_link **out, struct err *err)
{
	char target[ADDR_STRLEN], source[ADDR_STRLEN];
	autojson sd_json_variant *request = nullptr;
	bool from = o->source.family != AF_UNSPEC;

	if (o->tls && o->tls->untalkable)
		return err_set(err, EOPNOTSUPP, "%s", o->tls->untalkable);

	if (sd_json_buildo(&request,
		    SD_JSON_BUILD_PAIR_STRING("target", addr_str(&o->flow->target, target)),
		    SD_JSON_BUILD_PAIR_UNSIGNED("port", o->flow->port),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    o->flow->host[0] != 0, "host", SD_JSON_BUILD_STRING(o->flow->host)),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    o->flow->path[0] != 0, "path", SD_JSON_BUILD_STRING(o->flow->path)),
		    SD_JSON_BUILD_PAIR_STRING("scheme", scheme_of(o->flow)),
		    SD_JSON_BUILD_PAIR_CONDITION(from, "source",
			    SD_JSON_BUILD_STRING(from ? addr_str(&o->source, source) : nullptr)),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    o->interface[0] != 0, "interface", SD_JSON_BUILD_STRING(o->interface)),
		    SD_JSON_BUILD_PAIR_UNSIGNED("timeoutMs", o->timeout_us / 1000)) < 0)
		out_of_memory();
	if (o->flow->scheme == SCHEME_HTTPS)
		add_tls(&request, o->tls);
	return ask(event, o, API_PROBE_ASK, request, out, err);
}

int probe_link_resolve(
	sd_event *event, const struct probe_options *o, struct probe_link **out, struct err *err)
{
	autojson sd_json_variant *request = nullptr;

	if (sd_json_buildo(&request, SD_JSON_BUILD_PAIR_STRING("name", o->flow->host),
		    SD_JSON_BUILD_PAIR_UNSIGNED("timeoutMs", o->timeout_us / 1000)) < 0)
		out_of_memory();
	return ask(event, o, API_PROBE_RESOLVE, request, out, err);
}

void probe_link_free(struct probe_link *p)
{
	if (!p)
		return;
	sd_varlink_close_unref(p->link);
	free(p);
}
