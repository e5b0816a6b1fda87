/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel_dummy_text: the dummy kernel's state from text and to text.
 */
#include "daemon/kernel_dummy.h"
#include "lib/marks.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <inttypes.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NOLINTBEGIN(cert-err34-c): the text is that of our own tests, and its fields are counted. */

static const struct {
	const char *word;
	unsigned flags;
} link_states[] = {{"up", IFF_UP | IFF_LOWER_UP}, {"no-carrier", IFF_UP}, {"down", 0}};

static bool load_link(struct kernel_dummy *d, const char *rest)
{
	int ifindex;
	unsigned mtu;
	char name[IFNAMSIZ], state[16];
	if (sscanf(rest, "%d %15s %15s mtu %u", &ifindex, name, state, &mtu) != 4)
		return false;
	for (size_t i = 0; i < 3; i++)
		if (!strcmp(link_states[i].word, state)) {
			dummy_link(d, ifindex, name, link_states[i].flags, mtu);
			return true;
		}
	return false;
}

static bool load_address(struct kernel_dummy *d, const char *rest)
{
	int ifindex;
	char text[PREFIX_STRLEN], ra[4] = "";
	struct prefix p;
	if (sscanf(rest, "%d %49s %3s", &ifindex, text, ra) < 2)
		return false;
	char *slash = strchr(text, '/');
	if (!slash || prefix_parse(text, &p) == -EINVAL)
		return false;
	*slash = '\0';
	struct ifaddr_entry a = {
		.ifindex = ifindex, .prefix_len = p.len, .from_ra = !strcmp(ra, "ra")};
	if (addr_parse(text, &a.address) < 0)
		return false;
	d->addresses.list = xreallocarray(
		d->addresses.list, d->addresses.n + 1, sizeof(*d->addresses.list));
	d->addresses.list[d->addresses.n++] = a;
	return true;
}

static bool load_sysctl(struct kernel_dummy *d, const char *rest)
{
	char key[SYSCTL_KEY_LEN];
	int value;
	if (sscanf(rest, "%95s %d", key, &value) != 2)
		return false;
	dummy_sysctl(d, key, value);
	return true;
}

static const struct {
	const char *word;
	uint8_t type;
} route_types[] = {{"unicast", RTN_UNICAST}, {"blackhole", RTN_BLACKHOLE},
	{"unreachable", RTN_UNREACHABLE}, {"prohibit", RTN_PROHIBIT}};

static bool load_route_rest(const char *rest, struct route *r)
{
	char type[16] = "unicast";
	int read = 0;
	if (sscanf(rest, " table %u%n", &r->table, &read) == 1)
		rest += read;
	read = 0;
	if (sscanf(rest, " type %15s%n", type, &read) == 1)
		rest += read;
	for (size_t i = 0; i < sizeof(route_types) / sizeof(route_types[0]); i++)
		if (!strcmp(route_types[i].word, type))
			r->type = route_types[i].type;
	return r->type && !rest[0];
}

static bool load_route(struct kernel_dummy *d, const char *rest)
{
	char text[PREFIX_STRLEN];
	unsigned protocol, metric;
	struct route r = {.table = MARK_RT_TABLE, .scope = RT_SCOPE_LINK};
	int read = 0;
	if (sscanf(rest, "%49s dev %d proto %u metric %u%n", text, &r.oif, &protocol, &metric,
		    &read) != 4)
		return false;
	if (prefix_parse(text, &r.dst) < 0 || !load_route_rest(rest + read, &r))
		return false;
	r.protocol = (uint8_t)protocol;
	r.metric = metric;
	dummy_route(d, &r);
	return true;
}

static bool load_nft(struct kernel_dummy *d, const char *rest)
{
	d->nft.exists = true;
	(void)sscanf(rest, "%" SCNx64, &d->nft.digest);
	return true;
}

static bool load_rule(struct kernel_dummy *d, const char *rest)
{
	struct rule r = {.family = AF_INET, .action = FR_ACT_TO_TBL};
	if (sscanf(rest, "%u table %u", &r.priority, &r.table) != 2)
		return false;
	d->rules.list = xreallocarray(d->rules.list, d->rules.n + 1, sizeof(*d->rules.list));
	d->rules.list[d->rules.n++] = r;
	return true;
}

static bool load_tailscale(struct kernel_dummy *d, const char *rest)
{
	d->tailscale.present = true;
	return sscanf(rest, "%zu", &d->tailscale.n_ours) == 1;
}

static bool load_line(struct kernel_dummy *d, const char *line)
{
	static const struct {
		const char *word;
		bool (*load)(struct kernel_dummy *d, const char *rest);
	} facts[] = {{"link", load_link}, {"address", load_address}, {"sysctl", load_sysctl},
		{"route", load_route}, {"nft", load_nft}, {"rule", load_rule},
		{"tailscale", load_tailscale}};
	size_t n = strcspn(line, " ");
	if (!line[0] || line[0] == '#')
		return true;
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (strlen(facts[i].word) == n && !strncmp(line, facts[i].word, n))
			return facts[i].load(d, line + n);
	return false;
}

unsigned dummy_load(struct kernel_dummy *d, const char *text)
{
	autofree char *copy = xstrdup(text);
	char *rest = copy;
	unsigned number = 0;
	for (char *line; (line = strsep(&rest, "\n"));) {
		number++;
		if (!load_line(d, line))
			return number;
	}
	return 0;
}

/* NOLINTEND(cert-err34-c) */

static void print_links(const struct kernel_dummy *d, FILE *out)
{
	for (size_t i = 0; i < d->links.n; i++) {
		const struct link *l = &d->links.list[i];
		const char *state = "";
		for (size_t j = 0; j < 3; j++)
			if (link_states[j].flags == (l->flags & (IFF_UP | IFF_LOWER_UP)))
				state = link_states[j].word;
		fprintf(out, "link %d %s %s mtu %u\n", l->ifindex, l->name, state, l->mtu);
	}
}

static void print_addresses(const struct kernel_dummy *d, FILE *out)
{
	char text[ADDR_STRLEN];
	for (size_t i = 0; i < d->addresses.n; i++) {
		const struct ifaddr_entry *a = &d->addresses.list[i];
		fprintf(out, "address %d %s/%u%s\n", a->ifindex, addr_str(&a->address, text),
			a->prefix_len, a->from_ra ? " ra" : "");
	}
}

static int compare_sysctls(const void *a, const void *b)
{
	const struct dummy_sysctl *x = a, *y = b;
	return strcmp(x->key, y->key);
}

static void print_sysctls(const struct kernel_dummy *d, FILE *out)
{
	autofree struct dummy_sysctl *sorted = xcalloc(d->n_sysctls, sizeof(*sorted));
	memcpy(sorted, d->sysctls, d->n_sysctls * sizeof(*sorted));
	qsort(sorted, d->n_sysctls, sizeof(*sorted), compare_sysctls);
	for (size_t i = 0; i < d->n_sysctls; i++)
		fprintf(out, "sysctl %s %d\n", sorted[i].key, sorted[i].value);
}

static int compare_routes(const void *a, const void *b)
{
	return route_cmp(a, b);
}

static void print_routes(const struct kernel_dummy *d, FILE *out)
{
	char text[PREFIX_STRLEN];
	autofree struct route *sorted = xcalloc(d->routes.n, sizeof(*sorted));
	if (d->routes.n)
		memcpy(sorted, d->routes.list, d->routes.n * sizeof(*sorted));
	qsort(sorted, d->routes.n, sizeof(*sorted), compare_routes);
	for (size_t i = 0; i < d->routes.n; i++) {
		const struct route *r = &sorted[i];
		fprintf(out, "route %s dev %d proto %u metric %u", prefix_str(&r->dst, text),
			r->oif, r->protocol, r->metric);
		if (r->table != MARK_RT_TABLE)
			fprintf(out, " table %u", r->table);
		for (size_t j = 1; j < sizeof(route_types) / sizeof(route_types[0]); j++)
			if (route_types[j].type == r->type)
				fprintf(out, " type %s", route_types[j].word);
		fputc('\n', out);
	}
}

static void print_rules(const struct kernel_dummy *d, FILE *out)
{
	for (size_t i = 0; i < d->rules.n; i++)
		fprintf(out, "rule %u table %u\n", d->rules.list[i].priority,
			d->rules.list[i].table);
}

void dummy_print(const struct kernel_dummy *d, FILE *out)
{
	print_links(d, out);
	print_addresses(d, out);
	print_sysctls(d, out);
	print_routes(d, out);
	print_rules(d, out);
	if (d->nft.exists)
		fprintf(out, "nft %" PRIx64 "\n", d->nft.digest);
	if (d->tailscale.present)
		fprintf(out, "tailscale %zu\n", d->tailscale.n_ours);
}
