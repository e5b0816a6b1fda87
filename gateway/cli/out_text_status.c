/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_text_status: status for people. What is as it should be takes one line, what is not gets
 * its reason; --verbose shows all of it.
 */
#include "cli/out.h"
#include <inttypes.h>
#include <string.h>
#include <time.h>

constexpr size_t FLOWS_SHOWN = 10;

/* ---- First line ---- */

static void print_mode(const struct view *v, const struct status *s)
{
	size_t masquerade = status_count_networks(s, "masquerade");
	size_t route = status_count_networks(s, "route");

	if (route == 0 && masquerade > 0)
		term_raw(
			&v->out, STYLE_PLAIN, "masquerade: services see an address of the gateway");
	else if (masquerade == 0 && route > 0)
		term_raw(&v->out, STYLE_PLAIN,
			"route: services see the address of the Worker or device");
	else
		term_print(&v->out, STYLE_PLAIN,
			"masquerade for %zu, route for %zu of %zu networks", masquerade, route,
			s->networks.n);
}

static void print_up(const struct view *v, const struct status *s)
{
	size_t errors = status_count_conditions(s, "error");

	if (errors) {
		term_print(
			&v->out, STYLE_BAD, "up with %zu error%s", errors, errors == 1 ? "" : "s");
	} else {
		term_raw(&v->out, STYLE_GOOD, "up");
	}
	term_raw(&v->out, STYLE_PLAIN, "; ");
	print_mode(v, s);
}

static void print_down(const struct view *v, const struct status *s)
{
	time_t since = (time_t)(s->down_since_us / 1'000'000);
	uint64_t ago_us = v->now_us > s->down_since_us ? v->now_us - s->down_since_us : 0;
	struct tm tm;
	char at[64];

	term_raw(&v->out, STYLE_WARN, "down");
	if (s->down_since_us && localtime_r(&since, &tm) &&
		strftime(at, sizeof(at), "%F %T %Z", &tm))
		term_print(&v->out, STYLE_PLAIN, ": taken down at %s, %s ago", at,
			time_span(ago_us).text);
	term_raw(&v->out, STYLE_PLAIN, "; bring it back with meshgw apply");
}

/* Why the file is not applied, if it is there. */
static const struct reply_condition *file_condition(const struct status *s)
{
	const struct reply_condition *list = s->conditions.items;

	for (size_t i = 0; i < s->conditions.n; i++)
		if (strcmp(list[i].code, "config-invalid") == 0 ||
			strcmp(list[i].code, "config-unreadable") == 0)
			return &list[i];
	return nullptr;
}

static void print_unconfigured(const struct view *v, const struct status *s)
{
	const struct reply_condition *bad = file_condition(s);

	term_raw(&v->out, STYLE_WARN, "not configured");
	if (bad) {
		term_print(&v->out, STYLE_PLAIN, ": %s", bad->message);
		return;
	}
	term_raw(&v->out, STYLE_PLAIN, ": write /etc/meshgw/meshgw.yaml and run meshgw apply");
}

static void print_state(const struct view *v, const struct status *s)
{
	static const struct {
		const char *phase;
		void (*print)(const struct view *v, const struct status *s);
	} phases[] = {{"up", print_up}, {"down", print_down}, {"unconfigured", print_unconfigured}};
	constexpr size_t n = sizeof(phases) / sizeof(phases[0]);
	size_t i = 0;

	term_print(&v->out, STYLE_PLAIN, "meshgw %s is ", s->version);
	while (i < n && strcmp(phases[i].phase, s->phase) != 0)
		i++;
	if (i < n)
		phases[i].print(v, s);
	else
		term_print(&v->out, STYLE_WARN, "%s", s->phase);
	term_raw(&v->out, STYLE_PLAIN, "\n");
}

static void print_pending(const struct view *v, const struct status *s)
{
	if (!s->pending.set)
		return;
	term_print(&v->out, STYLE_WARN,
		"A change waits for its confirmation and is rolled back in %" PRIu64
		" s: keep it with meshgw confirm",
		s->pending.remaining_s);
	term_raw(&v->out, STYLE_PLAIN, "\n");
}

/* ---- Ranges ---- */

static void print_ranges(const struct view *v, const struct status *s)
{
	const struct reply_range *list = s->ranges.items;
	struct table table = {.term = &v->out, .columns = 2, .indent = 2};

	if (!v->verbose || !s->ranges.n)
		return;
	term_heading(&v->out, "Mesh ranges");
	for (size_t i = 0; i < s->ranges.n; i++) {
		table_add(&table, STYLE_PLAIN, "%s", list[i].prefix);
		table_add(&table, STYLE_PLAIN, "%s", list[i].class);
	}
	table_flush(&table);
}

/* ---- Objects ---- */

static enum style state_style(const char *state)
{
	if (strcmp(state, "installed") == 0)
		return STYLE_GOOD;
	return strcmp(state, "waiting") == 0 ? STYLE_WARN : STYLE_BAD;
}

static void add_object(struct table *table, const struct reply_object *o)
{
	table_add(table, state_style(o->state), "%s", o->state);
	table_add(table, STYLE_PLAIN, "%s", o->name);
	table_add(table, STYLE_DIM, "%s", o->wanted);
	table_add(table, STYLE_PLAIN, "%s", o->reason ? o->reason : "");
}

static void print_objects(const struct view *v, const struct status *s)
{
	const struct reply_object *list = s->objects.items;
	struct table table = {.term = &v->out, .columns = 4, .indent = 2};
	size_t installed = status_count_objects(s, "installed");

	if (!s->objects.n)
		return;
	term_heading(&v->out, "Objects");
	for (size_t i = 0; i < s->objects.n; i++)
		if (v->verbose || strcmp(list[i].state, "installed") != 0)
			add_object(&table, &list[i]);
	table_flush(&table);
	if (installed == s->objects.n)
		term_print(&v->out, STYLE_PLAIN, "  all %zu installed", installed);
	else
		term_print(&v->out, STYLE_PLAIN, "  %zu of %zu installed", installed, s->objects.n);
	if (s->repairs)
		term_print(&v->out, STYLE_PLAIN, ", %" PRIu64 " repaired since the daemon's start",
			s->repairs);
	term_raw(&v->out, STYLE_PLAIN, "\n");
}

/* ---- Counters ---- */

static void print_counters(const struct view *v, const struct status *s)
{
	const struct reply_counter *list = s->counters.items;
	struct table table = {.term = &v->out, .columns = 3, .indent = 2};

	if (!s->counters.n)
		return;
	term_heading(&v->out, "Traffic");
	for (size_t i = 0; i < s->counters.n; i++) {
		table_add(&table, STYLE_PLAIN, "%s", list[i].name);
		/* Only the first packet of a flow passes the kernel's NAT chains. */
		bool flows = strcmp(list[i].name, "masqueraded") == 0;
		table_add(&table, STYLE_PLAIN, "%" PRIu64 " %s%s", list[i].packets,
			flows ? "flow" : "packet", list[i].packets == 1 ? "" : "s");
		table_add(&table, STYLE_PLAIN, "%s", flows ? "" : byte_count(list[i].bytes).text);
	}
	table_flush(&table);
}

static void print_flows(const struct view *v, const struct status *s)
{
	size_t n = v->verbose || s->flows.n < FLOWS_SHOWN ? s->flows.n : FLOWS_SHOWN;

	if (!n)
		return;
	term_heading(&v->out, "Flows that failed");
	out_text_flows(v, s->flows.items, n);
	if (n < s->flows.n) {
		term_print(
			&v->out, STYLE_PLAIN, "  and %zu more; --verbose has all", s->flows.n - n);
		term_raw(&v->out, STYLE_PLAIN, "\n");
	}
}

void out_text_status(const struct view *v, const struct status *s)
{
	print_state(v, s);
	print_pending(v, s);
	out_text_path(v, s);
	out_text_networks(v, s);
	print_ranges(v, s);
	print_objects(v, s);
	out_text_bgp(v, s);
	out_text_bridge(v, s);
	out_text_tunnel(v, s);
	out_text_conditions(v, &s->conditions);
	print_flows(v, s);
	print_counters(v, s);
}
