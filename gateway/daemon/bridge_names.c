/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/bridge_names.h"
#include "daemon/clock.h"
#include "lib/api_probe.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-varlink.h>

constexpr uint64_t ASK_MS = 3000;
constexpr uint64_t GIVE_UP_US = 6'000'000; /* when meshgw-probe does not answer at all */

struct name {
	char *text;
	struct addr *list; /* sorted */
	size_t n;
	const char *problem; /* nullptr = none, or not asked yet */
	uint64_t due_us;
	bool wanted;
};

struct bridge_names {
	sd_event *event;
	const char *socket;
	void (*changed)(void *arg);
	void *arg;
	const struct config *config;
	const struct observed *seen;
	struct name *list;
	size_t n, cap;
	sd_varlink *link; /* while a question is under way … */
	char *asked;      /* … for this name */
	sd_event_source *timer;
};

/* ---- what an answer may say ---- */

static bool in_networks(const struct config *config, const struct addr *a)
{
	for (size_t i = 0; i < config->n_lans; i++)
		for (size_t j = 0; j < config->lans[i].n_networks; j++)
			if (prefix_contains_addr(&config->lans[i].networks[j].prefix, a))
				return true;
	for (size_t i = 0; i < config->bridge.n_upstream_networks; i++)
		if (prefix_contains_addr(&config->bridge.upstream_networks[i].prefix, a))
			return true;
	return false;
}

/* Link-local are 169.254.169.254 and fe80::a9fe:a9fe; these are Amazon's, Alibaba's, Oracle's. */
static bool is_metadata(const struct addr *a)
{
	static const struct addr list[] = {
		{AF_INET6, {0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54}},
		{AF_INET, {100, 100, 100, 200}},
		{AF_INET, {192, 0, 0, 192}},
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (!addr_cmp(&list[i], a))
			return true;
	return false;
}

bool bridge_name_may_be(
	const struct config *config, const struct observed *seen, const struct addr *a)
{
	struct prefix host = prefix_of(a);

	if (prefix_is_special(&host) || is_metadata(a) || observed_is_own(seen, a) ||
		!in_networks(config, a))
		return false;
	for (size_t i = 0; i < config->n_ranges; i++)
		if (prefix_contains_addr(&config->ranges[i].prefix, a))
			return false;
	return true;
}

/* ---- the names ---- */

static struct name *find(const struct bridge_names *n, const char *text)
{
	for (size_t i = 0; i < n->n; i++)
		if (!strcmp(n->list[i].text, text))
			return &n->list[i];
	return nullptr;
}

const struct addr *bridge_names_addresses(
	const struct bridge_names *n, const char *name, size_t *count)
{
	const struct name *found = find(n, name);

	*count = found ? found->n : 0;
	return found ? found->list : nullptr;
}

const char *bridge_names_problem(const struct bridge_names *n, size_t i, const char **why)
{
	if (i >= n->n)
		return nullptr;
	*why = n->list[i].problem;
	return n->list[i].text;
}

static void name_clear(struct name *name)
{
	free(name->text);
	free(name->list);
}

static void want_name(struct bridge_names *n, const char *text)
{
	struct name *known = find(n, text);

	if (known) {
		known->wanted = true;
		known->due_us = 0;
		return;
	}
	XGROW(n->list, n->n, n->cap);
	n->list[n->n++] = (struct name){.text = xstrdup(text), .wanted = true};
}

static int cmp_addr(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

/* Did anything change? Takes over list. */
static bool replace(struct name *name, struct addr *list, size_t count)
{
	bool same = name->n == count;

	qsort(list, count, sizeof(*list), cmp_addr);
	for (size_t i = 0; i < count && same; i++)
		same = !addr_cmp(&name->list[i], &list[i]);
	free(name->list);
	name->list = list;
	name->n = count;
	return !same;
}

/* What was allowed may be so no more: another configuration, or an address of our own. */
static bool judge_again(struct bridge_names *n, struct name *name)
{
	struct addr *list = xcalloc(name->n, sizeof(*list));
	size_t count = 0;

	for (size_t i = 0; i < name->n; i++)
		if (bridge_name_may_be(n->config, n->seen, &name->list[i]))
			list[count++] = name->list[i];
	return replace(name, list, count);
}

/* ---- asking ---- */

static void ask_next(struct bridge_names *n);

static void arm(struct bridge_names *n, uint64_t at_us)
{
	if (sd_event_source_set_time(n->timer, at_us) < 0 ||
		sd_event_source_set_enabled(n->timer, SD_EVENT_ONESHOT) < 0)
		abort();
}

static void end_question(struct bridge_names *n)
{
	n->link = sd_varlink_close_unref(n->link);
	free(TAKE_PTR(n->asked));
}

/* Addresses that are listed twice count once. */
static size_t read_addresses(
	const struct bridge_names *n, sd_json_variant *list, struct addr *out, size_t *refused)
{
	size_t count = 0;

	for (size_t i = 0; i < sd_json_variant_elements(list); i++) {
		sd_json_variant *v = sd_json_variant_by_index(list, i);
		struct addr a;
		bool again = false;
		if (!sd_json_variant_is_string(v) || count == BRIDGE_NAME_ADDRESSES ||
			addr_parse(sd_json_variant_string(v), &a) < 0)
			continue;
		for (size_t j = 0; j < count; j++)
			again |= !addr_cmp(&out[j], &a);
		if (!bridge_name_may_be(n->config, n->seen, &a))
			++*refused;
		else if (!again)
			out[count++] = a;
	}
	return count;
}

static void take_answer(struct bridge_names *n, struct name *name, sd_json_variant *parameters)
{
	sd_json_variant *list = sd_json_variant_by_key(parameters, "addresses");
	struct addr *found = xcalloc(BRIDGE_NAME_ADDRESSES, sizeof(*found));
	size_t refused = 0, count = sd_json_variant_is_array(list)
					    ? read_addresses(n, list, found, &refused)
					    : 0;

	name->due_us = clock_monotonic_us() + BRIDGE_NAME_US;
	name->problem = nullptr;
	if (count == 0 && refused == 0) {
		free(found); /* what was known stays */
		name->problem = "the name has no address";
		name->due_us = clock_monotonic_us() + BRIDGE_NAME_RETRY_US;
		return;
	}
	if (count == 0)
		name->problem = "its addresses are outside lan.networks and "
				"bridge.upstream_networks, or may not be used";
	bool changed = replace(name, found, count);
	log_debug("bridge", "name=%s addresses=%zu refused=%zu", name->text, count, refused);
	if (changed)
		n->changed(n->arg);
}

static void take_failure(struct name *name)
{
	name->due_us = clock_monotonic_us() + BRIDGE_NAME_RETRY_US;
	name->problem = "meshgw-probe does not answer";
}

static int on_reply(sd_varlink *, sd_json_variant *parameters, const char *error_id,
	sd_varlink_reply_flags_t, void *userdata)
{
	struct bridge_names *n = userdata;
	struct name *name = n->asked ? find(n, n->asked) : nullptr;

	free(TAKE_PTR(n->asked));
	if (name && error_id)
		take_failure(name);
	else if (name)
		take_answer(n, name, parameters);
	arm(n, clock_monotonic_us()); /* the link is closed from outside of its callback */
	return 0;
}

static int ask(struct bridge_names *n, const char *text)
{
	autojson sd_json_variant *request = nullptr;

	if (sd_json_buildo(&request, SD_JSON_BUILD_PAIR_STRING("name", text),
		    SD_JSON_BUILD_PAIR_UNSIGNED("timeoutMs", ASK_MS)) < 0)
		out_of_memory();
	int r = sd_varlink_connect_address(&n->link, n->socket);
	if (r < 0)
		return r;
	sd_varlink_set_userdata(n->link, n);
	r = sd_varlink_bind_reply(n->link, on_reply);
	if (r >= 0)
		r = sd_varlink_attach_event(n->link, n->event, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = sd_varlink_invoke(n->link, API_PROBE_RESOLVE, request);
	return r;
}

static struct name *next_due(const struct bridge_names *n)
{
	struct name *first = nullptr;

	for (size_t i = 0; i < n->n; i++)
		if (!first || n->list[i].due_us < first->due_us)
			first = &n->list[i];
	return first;
}

static void ask_next(struct bridge_names *n)
{
	uint64_t now = clock_monotonic_us();
	struct name *name = next_due(n);

	if (!name)
		return;
	if (name->due_us > now) {
		arm(n, name->due_us);
		return;
	}
	n->asked = xstrdup(name->text);
	if (ask(n, name->text) >= 0) {
		arm(n, now + GIVE_UP_US);
		return;
	}
	take_failure(name);
	end_question(n);
	name = next_due(n);
	assert(name);
	arm(n, name->due_us);
}

/* Also when a question was answered, or takes too long. */
static int on_timer(sd_event_source *, uint64_t, void *userdata)
{
	struct bridge_names *n = userdata;
	struct name *late = n->asked ? find(n, n->asked) : nullptr;

	if (late)
		take_failure(late);
	end_question(n);
	ask_next(n);
	return 0;
}

/* ---- life ---- */

struct bridge_names *bridge_names_new(
	sd_event *event, const char *socket, void (*changed)(void *arg), void *arg)
{
	struct bridge_names *n = xcalloc(1, sizeof(*n));

	*n = (struct bridge_names){
		.event = sd_event_ref(event), .socket = socket, .changed = changed, .arg = arg};
	if (sd_event_add_time(event, &n->timer, CLOCK_MONOTONIC, 0, 1, on_timer, n) < 0 ||
		sd_event_source_set_enabled(n->timer, SD_EVENT_OFF) < 0)
		abort();
	return n;
}

void bridge_names_free(struct bridge_names *n)
{
	if (!n)
		return;
	bridge_names_configure(n, nullptr, nullptr);
	end_question(n);
	sd_event_source_disable_unref(n->timer);
	sd_event_unref(n->event);
	free(n->list);
	free(n);
}

static void drop_unwanted(struct bridge_names *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->n; i++) {
		if (n->list[i].wanted)
			n->list[kept++] = n->list[i];
		else
			name_clear(&n->list[i]);
	}
	n->n = kept;
}

void bridge_names_configure(
	struct bridge_names *n, const struct config *config, const struct observed *seen)
{
	n->config = config;
	n->seen = seen;
	for (size_t i = 0; i < n->n; i++)
		n->list[i].wanted = false;
	for (size_t i = 0; config && i < config->bridge.n_routes; i++) {
		const struct config_route *route = &config->bridge.routes[i];
		for (size_t j = 0; j < route->n_upstreams; j++)
			if (route->upstreams[j].host &&
				route->upstreams[j].address.family == AF_UNSPEC)
				want_name(n, route->upstreams[j].host);
	}
	drop_unwanted(n);
	for (size_t i = 0; i < n->n; i++)
		(void)judge_again(n, &n->list[i]);
	if (n->asked && find(n, n->asked))
		return;
	free(TAKE_PTR(n->asked)); /* its link may be what called us; the timer closes it */
	if (n->n || n->link)
		arm(n, clock_monotonic_us());
}
