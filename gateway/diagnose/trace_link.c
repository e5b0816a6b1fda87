/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/trace_link.h"
#include "diagnose/told.h"
#include "lib/api_trace.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-varlink.h>

struct trace_link {
	sd_varlink *link;
	struct evidence facts; /* nothing but facts in it */
	char why[FACT_TEXT_LEN];
	bool told; /* ready() was called */
	void (*ready)(void *arg, bool observing);
	void (*changed)(void *arg);
	void *arg;
};

/* What it may tell. */
constexpr uint32_t KINDS = 1U << FACT_PACKET | 1U << FACT_ICMP | 1U << FACT_DROP | 1U << FACT_CALL |
			   1U << FACT_MISSING;

static void tell_ready(struct trace_link *t, bool observing)
{
	if (t->told)
		return;
	t->told = true;
	t->ready(t->arg, observing);
}

/* Nothing more is heard of it. */
static void fail(struct trace_link *t, const char *why)
{
	snprintf(t->why, sizeof(t->why), "meshgw-trace: %.100s", why);
	log_debug("diagnose", "%s", t->why);
	t->link = sd_varlink_close_unref(t->link);
	tell_ready(t, false);
}

static int on_reply(sd_varlink *, sd_json_variant *parameters, const char *error_id,
	sd_varlink_reply_flags_t, void *userdata)
{
	struct trace_link *t = userdata;
	struct evidence facts = {};
	struct err err = {};

	if (error_id) {
		fail(t, error_id);
		return 0;
	}
	int r = told_read(sd_json_variant_by_key(parameters, "facts"), KINDS, &facts, &err);
	if (r < 0) {
		evidence_clear(&facts);
		fail(t, err.msg);
		return 0;
	}
	evidence_clear(&t->facts);
	t->facts = facts;
	tell_ready(t, true);
	t->changed(t->arg);
	return 0;
}

static void append_text(sd_json_variant **list, const char *text)
{
	if (text && text[0] && sd_json_variant_append_arrayb(list, SD_JSON_BUILD_STRING(text)) < 0)
		out_of_memory();
}

static sd_json_variant *empty_list(void)
{
	sd_json_variant *v = nullptr;
	if (sd_json_variant_new_array(&v, nullptr, 0) < 0)
		out_of_memory();
	return v;
}

static sd_json_variant *build_ports(const struct injections *set)
{
	sd_json_variant *v = empty_list();
	for (size_t i = 0; set && i < set->n; i++)
		if (sd_json_variant_append_arrayb(
			    &v, SD_JSON_BUILD_UNSIGNED(set->list[i].source_port)) < 0)
			out_of_memory();
	return v;
}

static sd_json_variant *build_injections(const struct injections *set)
{
	sd_json_variant *v = empty_list();
	for (size_t i = 0; set && i < set->n; i++) {
		const struct injection *j = &set->list[i];
		if (sd_json_variant_append_arraybo(&v,
			    SD_JSON_BUILD_PAIR_UNSIGNED("atMs", j->at_ms),
			    SD_JSON_BUILD_PAIR_STRING("kind", injection_kind_str(j->kind)),
			    SD_JSON_BUILD_PAIR_UNSIGNED("sourcePort", j->source_port),
			    SD_JSON_BUILD_PAIR_UNSIGNED("port", j->port),
			    SD_JSON_BUILD_PAIR_UNSIGNED("ttl", j->ttl),
			    SD_JSON_BUILD_PAIR_CONDITION(
				    j->size != 0, "size", SD_JSON_BUILD_UNSIGNED(j->size)),
			    SD_JSON_BUILD_PAIR_BOOLEAN("dontFragment", true)) < 0)
			out_of_memory();
	}
	return v;
}

/* No diagnosis looks for longer; its limit may be. */
static uint64_t duration_ms(const struct trace_options *o)
{
	uint64_t ms = o->duration_us / 1000;
	return ms < API_TRACE_DURATION_MAX_MS ? ms : API_TRACE_DURATION_MAX_MS;
}

static sd_json_variant *build_request(const struct trace_options *o)
{
	char client[ADDR_STRLEN], target[ADDR_STRLEN], own[ADDR_STRLEN], prober[ADDR_STRLEN],
		range[PREFIX_STRLEN];
	autojson sd_json_variant *ports = build_ports(o->injections), *ranges = empty_list(),
				 *lans = empty_list(), *inject = build_injections(o->injections);
	sd_json_variant *v = nullptr;

	for (size_t i = 0; i < o->n_ranges; i++)
		if (o->ranges[i].addr.family == o->flow.target.family)
			append_text(&ranges, prefix_str(&o->ranges[i], range));
	append_text(&lans, o->lan);
	append_text(&lans, o->egress);
	if (sd_json_buildo(&v,
		    SD_JSON_BUILD_PAIR_UNSIGNED("family", o->flow.target.family == AF_INET ? 4 : 6),
		    SD_JSON_BUILD_PAIR_UNSIGNED("proto", o->flow.proto),
		    SD_JSON_BUILD_PAIR_STRING("client", addr_str(&o->flow.client, client)),
		    SD_JSON_BUILD_PAIR_VARIANT("ports", ports),
		    SD_JSON_BUILD_PAIR_VARIANT("ranges", ranges),
		    SD_JSON_BUILD_PAIR_STRING("target", addr_str(&o->flow.target, target)),
		    SD_JSON_BUILD_PAIR_UNSIGNED("port", o->flow.port),
		    SD_JSON_BUILD_PAIR_CONDITION(o->own.family != AF_UNSPEC, "own",
			    SD_JSON_BUILD_STRING(addr_str(&o->own, own))),
		    SD_JSON_BUILD_PAIR_CONDITION(o->prober.family != AF_UNSPEC, "prober",
			    SD_JSON_BUILD_STRING(addr_str(&o->prober, prober))),
		    SD_JSON_BUILD_PAIR_STRING("meshInterface", o->mesh),
		    SD_JSON_BUILD_PAIR_VARIANT("lanInterfaces", lans),
		    SD_JSON_BUILD_PAIR_UNSIGNED("durationMs", duration_ms(o)),
		    SD_JSON_BUILD_PAIR_VARIANT("inject", inject)) < 0)
		out_of_memory();
	return v;
}

static int connect_link(struct trace_link *t, sd_event *event, const struct trace_options *o)
{
	autojson sd_json_variant *request = build_request(o);
	int r = sd_varlink_connect_address(&t->link, o->socket);

	if (r < 0)
		return r;
	sd_varlink_set_userdata(t->link, t);
	r = sd_varlink_bind_reply(t->link, on_reply);
	if (r >= 0)
		r = sd_varlink_attach_event(t->link, event, SD_EVENT_PRIORITY_NORMAL);
	return r < 0 ? r : sd_varlink_observe(t->link, API_TRACE_OBSERVE, request);
}

int trace_link_new(
	sd_event *event, const struct trace_options *o, struct trace_link **out, struct err *err)
{
	struct trace_link *t = xcalloc(1, sizeof(*t));

	t->ready = o->ready;
	t->changed = o->changed;
	t->arg = o->arg;
	int r = connect_link(t, event, o);
	if (r < 0) {
		trace_link_free(t);
		return err_set(err, -r, "meshgw-trace cannot be reached at %s: %s", o->socket,
			strerror(-r));
	}
	*out = t;
	return 0;
}

void trace_link_free(struct trace_link *t)
{
	if (!t)
		return;
	sd_varlink_close_unref(t->link);
	evidence_clear(&t->facts);
	free(t);
}

const struct evidence *trace_link_facts(const struct trace_link *t)
{
	return &t->facts;
}

const char *trace_link_why(const struct trace_link *t)
{
	return t->why;
}
