/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_diff.h"
#include "daemon/config_diff_int.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *config_change_kind_str(enum config_change_kind kind)
{
	static const char *const names[] = {
		[CHANGE_INTERFACE] = "interface",
		[CHANGE_RANGE] = "range",
		[CHANGE_NETWORK] = "network",
		[CHANGE_HOST] = "host",
		[CHANGE_WITNESS] = "witness",
		[CHANGE_ALLOW] = "allow",
		[CHANGE_PROBE] = "probe",
		[CHANGE_WATCH] = "watch",
		[CHANGE_BRIDGE] = "bridge",
		[CHANGE_TUNNEL] = "tunnel",
	};
	return names[kind];
}

static void push(struct config_changes *out, struct config_change change)
{
	XGROW(out->list, out->n, out->cap);
	out->list[out->n++] = change;
}

void config_state(struct config_changes *out, enum config_change_kind kind,
	const struct prefix *about, const char *fmt, ...)
{
	struct config_change change = {.kind = kind, .about = about ? *about : (struct prefix){}};
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&change.text, fmt, ap) < 0)
		out_of_memory();
	va_end(ap);
	push(out, change);
}

/* ---- Ranges, networks, hosts ---- */

static void state_ranges(const struct config *c, struct config_changes *out)
{
	char text[PREFIX_STRLEN];
	for (size_t i = 0; i < c->n_ranges; i++)
		config_state(out, CHANGE_RANGE, &c->ranges[i].prefix, "%s %s",
			range_class_str(c->ranges[i].class),
			prefix_str(&c->ranges[i].prefix, text));
}

static void state_networks(const struct config_lan *lan, struct config_changes *out)
{
	char text[PREFIX_STRLEN];
	for (size_t i = 0; i < lan->n_networks; i++) {
		const struct config_network *n = &lan->networks[i];
		config_state(out, CHANGE_NETWORK, &n->prefix, "%s on %s: %s",
			prefix_str(&n->prefix, text), lan->interface,
			return_path_str(n->return_path));
		for (size_t j = 0; j < n->n_hosts; j++) {
			struct prefix about = prefix_of(&n->hosts[j].address);
			config_state(out, CHANGE_HOST, &about, "%s: %s",
				addr_str(&n->hosts[j].address, text),
				return_path_str(n->hosts[j].return_path));
		}
		config_state_witnesses(n, out);
	}
}

/* ---- The allow list ---- */

/* A single address without its length. */
static const char *target_str(const struct prefix *p, char *buf)
{
	return p->len == addr_bits(p->addr.family) ? addr_str(&p->addr, buf) : prefix_str(p, buf);
}

static uint32_t classes_in_use(const struct config *c)
{
	uint32_t classes = 0;
	for (size_t i = 0; i < c->n_ranges; i++)
		classes |= 1U << c->ranges[i].class;
	return classes;
}

/* A copy in order, for the caller to free. */
static void *sorted(
	const void *list, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	void *copy = xcalloc(n, size);
	if (n) {
		memcpy(copy, list, n * size);
		qsort(copy, n, size, compare);
	}
	return copy;
}

static int compare_prefixes(const void *a, const void *b)
{
	return prefix_cmp(a, b);
}

static int compare_ports(const void *a, const void *b)
{
	const struct port_range *x = a, *y = b;
	return (x->first > y->first) - (x->first < y->first);
}

static void print_sources(const struct config *c, const struct config_allow *a, FILE *out)
{
	autofree struct prefix *from = sorted(a->from, a->n_from, sizeof(*from), compare_prefixes);
	const char *separator = "";
	char text[PREFIX_STRLEN];
	if ((classes_in_use(c) & ~a->from_classes) == 0) {
		fputs("all ranges", out);
		return;
	}
	for (enum range_class kind = 0; kind < RANGE_CLASSES; kind++)
		if (a->from_classes & 1U << kind) {
			fprintf(out, "%s%s", separator, range_class_str(kind));
			separator = ", ";
		}
	for (size_t i = 0; i < a->n_from; i++) {
		fprintf(out, "%s%s", separator, target_str(&from[i], text));
		separator = ", ";
	}
}

static void print_ports(const char *protocol, const struct port_range *list, size_t n, FILE *out)
{
	autofree struct port_range *ports = sorted(list, n, sizeof(*ports), compare_ports);
	if (n == 0)
		return;
	fprintf(out, " %s ", protocol);
	if (n == 1 && ports[0].first == 1 && ports[0].last == UINT16_MAX) {
		fputs("all", out);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%s%u", i ? "," : "", ports[i].first);
		if (ports[i].last != ports[i].first)
			fprintf(out, "-%u", ports[i].last);
	}
}

static void state_allow(
	const struct config *c, const struct config_allow *a, struct config_changes *out)
{
	char text[PREFIX_STRLEN];
	char *line;
	size_t len;
	FILE *f = open_memstream(&line, &len);
	if (!f)
		out_of_memory();
	print_sources(c, a, f);
	fprintf(f, " to %s", target_str(&a->to, text));
	print_ports("tcp", a->tcp, a->n_tcp, f);
	print_ports("udp", a->udp, a->n_udp, f);
	if (a->icmp)
		fputs(" icmp", f);
	else if (!a->n_tcp && !a->n_udp)
		fputs(" everything", f);
	if (fclose(f) != 0)
		out_of_memory();
	push(out, (struct config_change){.kind = CHANGE_ALLOW, .about = a->to, .text = line});
}

/* ---- The difference ---- */

static int compare_statements(const void *a, const void *b)
{
	const struct config_change *x = a, *y = b;
	int order = (x->kind > y->kind) - (x->kind < y->kind);
	if (!order)
		order = prefix_cmp(&x->about, &y->about);
	return order ? order : strcmp(x->text, y->text);
}

static int compare_changes(const void *a, const void *b)
{
	const struct config_change *x = a, *y = b;
	if (x->kind == y->kind && prefix_cmp(&x->about, &y->about) == 0 && x->added != y->added)
		return x->added - y->added;
	return compare_statements(a, b);
}

static void sort(struct config_changes *c, int (*compare)(const void *, const void *))
{
	if (c->n)
		qsort(c->list, c->n, sizeof(*c->list), compare);
}

/* Sorted, each once. */
static void state_all(const struct config *c, struct config_changes *out)
{
	if (!c)
		return;
	config_state(out, CHANGE_INTERFACE, nullptr, "%s", c->mesh_interface);
	state_ranges(c, out);
	for (size_t i = 0; i < c->n_lans; i++)
		state_networks(&c->lans[i], out);
	if (!c->has_allow)
		config_state(out, CHANGE_ALLOW, nullptr, "everything from the ranges");
	for (size_t i = 0; i < c->n_allow; i++)
		state_allow(c, &c->allow[i], out);
	config_state_probe(&c->probe, out);
	if (c->watch_own)
		config_state(out, CHANGE_WATCH, nullptr, "%s", c->watch ? "true" : "false");
	config_state_bridge(&c->bridge, out);
	config_state_tunnel(&c->tunnel, out);
	sort(out, compare_statements);
	size_t kept = 0;
	for (size_t i = 0; i < out->n; i++)
		if (kept && !compare_statements(&out->list[kept - 1], &out->list[i]))
			free(out->list[i].text);
		else
			out->list[kept++] = out->list[i];
	out->n = kept;
}

static void take(struct config_changes *out, struct config_change *statement, bool added)
{
	push(out, *statement);
	out->list[out->n - 1].added = added;
	statement->text = nullptr;
}

void config_diff(const struct config *from, const struct config *to, struct config_changes *out)
{
	struct config_changes old = {}, new = {};
	state_all(from, &old);
	state_all(to, &new);
	for (size_t i = 0, j = 0; i < old.n || j < new.n;) {
		int order = i == old.n   ? 1
			    : j == new.n ? -1
					 : compare_statements(&old.list[i], &new.list[j]);
		if (order < 0)
			take(out, &old.list[i], false);
		else if (order > 0)
			take(out, &new.list[j], true);
		i += order <= 0;
		j += order >= 0;
	}
	sort(out, compare_changes);
	config_changes_clear(&old);
	config_changes_clear(&new);
}

void config_changes_clear(struct config_changes *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->list[i].text);
	free(c->list);
	*c = (struct config_changes){};
}

/* ---- The summary ---- */

/* A bit for each mode that something is in. */
static unsigned modes_of(const struct config *c)
{
	unsigned modes = 0;
	for (size_t i = 0; i < c->n_lans; i++)
		for (size_t j = 0; j < c->lans[i].n_networks; j++) {
			const struct config_network *n = &c->lans[i].networks[j];
			modes |= 1U << n->return_path;
			for (size_t k = 0; k < n->n_hosts; k++)
				modes |= 1U << n->hosts[k].return_path;
		}
	return modes;
}

const char *config_summary(const struct config *c, char *buf)
{
	static_assert(
		RETURN_PATH_AUTO == 0 && RETURN_PATH_ROUTE == 1 && RETURN_PATH_MASQUERADE == 2);
	static const char *const modes[] = {"no network", "auto", "route", "auto and route",
		"masquerade", "auto and masquerade", "masquerade and route",
		"auto, masquerade and route"};
	const char *mode = modes[modes_of(c)];
	if (!c->has_allow)
		snprintf(buf, CONFIG_SUMMARY_LEN, "%s, everything allowed", mode);
	else if (c->n_allow == 0)
		snprintf(buf, CONFIG_SUMMARY_LEN, "%s, nothing allowed", mode);
	else
		snprintf(buf, CONFIG_SUMMARY_LEN, "%s, %zu allow entr%s", mode, c->n_allow,
			c->n_allow == 1 ? "y" : "ies");
	return buf;
}
