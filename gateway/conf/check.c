/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/check.h"
#include "conf/check_allow.h"
#include "conf/check_bgp.h"
#include "conf/check_bridge.h"
#include "conf/check_probe.h"
#include "conf/check_tunnel.h"
#include "conf/cover.h"
#include "conf/diag.h"
#include "conf/overlap.h"
#include "conf/schema.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Interfaces. */

static void check_interface(const struct draft *draft, size_t i, struct diag_list *diags)
{
	const struct config_lan *lans = draft->config.lans, *lan = &lans[i];
	char path[64];

	snprintf(path, sizeof(path), "lan[%zu].interface", i);
	if (lan->interface[0] == '\0')
		return;
	if (strcmp(lan->interface, draft->config.mesh_interface) == 0)
		diag_add(diags, lan->mark, path, "%s is the mesh interface; it cannot be a LAN too",
			lan->interface);
	for (size_t j = 0; j < i; j++) {
		if (strcmp(lan->interface, lans[j].interface) != 0)
			continue;
		diag_add(diags, lan->mark, path,
			"%s is lan[%zu] already (at %u:%u); list these networks there",
			lan->interface, j, lans[j].mark.line, lans[j].mark.column);
		return;
	}
}

/* Hosts. */

static int cmp_host(const void *x, const void *y)
{
	const struct config_host *a = *(const struct config_host *const *)x;
	const struct config_host *b = *(const struct config_host *const *)y;
	int order = addr_cmp(&a->address, &b->address);

	return order ? order : (a > b) - (a < b); /* in the order of the file */
}

/* before: the one in front of it in the sorted list, or nullptr. */
static void check_host(const struct config_network *network, const char *path,
	const struct config_host *host, const struct config_host *before, struct diag_list *diags)
{
	char address[ADDR_STRLEN], prefix[PREFIX_STRLEN], where[128];

	if (host->address.family == AF_UNSPEC)
		return;
	snprintf(where, sizeof(where), "%s.hosts[%zu].address", path,
		(size_t)(host - network->hosts));
	addr_str(&host->address, address);
	if (network->prefix.addr.family != AF_UNSPEC &&
		!prefix_contains_addr(&network->prefix, &host->address))
		diag_add(diags, host->mark, where, "%s is not inside the network %s", address,
			prefix_str(&network->prefix, prefix));
	if (before && addr_cmp(&before->address, &host->address) == 0)
		diag_add(diags, host->mark, where, "%s stands here already, at %u:%u; remove one",
			address, before->mark.line, before->mark.column);
}

static void check_hosts(
	const struct config_network *network, const char *path, struct diag_list *diags)
{
	autofree const struct config_host **sorted = xcalloc(
		network->n_hosts, sizeof(struct config_host *));

	for (size_t i = 0; i < network->n_hosts; i++)
		sorted[i] = &network->hosts[i];
	qsort(sorted, network->n_hosts, sizeof(*sorted), cmp_host);
	for (size_t i = 0; i < network->n_hosts; i++)
		check_host(network, path, sorted[i], i > 0 ? sorted[i - 1] : nullptr, diags);
}

/* Totals over several lists, reported at the first one too many. */

struct total {
	const char *what;
	size_t n, max;
};

static void total_add(struct total *total, size_t n, struct config_mark mark, const char *path,
	struct diag_list *diags)
{
	bool was_over = total->n > total->max;

	total->n += n;
	if (total->n > total->max && !was_over)
		diag_add(diags, mark, path, "more than %zu %s in the whole file; that is the limit",
			total->max, total->what);
}

static void check_lans(const struct draft *draft, struct cover *networks, struct diag_list *diags)
{
	struct total n_networks = {"networks", 0, CONFIG_MAX_NETWORKS};
	struct total n_hosts = {"hosts", 0, CONFIG_MAX_HOSTS};
	char path[64];

	networks->complete = draft->config.n_lans > 0;
	for (size_t i = 0; i < draft->config.n_lans; i++) {
		const struct config_lan *lan = &draft->config.lans[i];
		check_interface(draft, i, diags);
		networks->complete = networks->complete && lan->n_networks > 0;
		for (size_t j = 0; j < lan->n_networks; j++) {
			const struct config_network *network = &lan->networks[j];
			snprintf(path, sizeof(path), "lan[%zu].networks[%zu]", i, j);
			total_add(&n_networks, 1, network->mark, path, diags);
			total_add(&n_hosts, network->n_hosts, network->mark, path, diags);
			cover_add(networks, &network->prefix);
			check_hosts(network, path, diags);
			check_witnesses(network, path, diags);
		}
	}
	cover_finish(networks);
}

/* Ranges. */

static void check_ranges(const struct draft *draft, struct cover *ranges, struct diag_list *diags)
{
	struct total n_ranges = {"ranges", 0, CONFIG_MAX_RANGES};
	char path[64];

	for (enum range_class kind = 0; kind < RANGE_CLASSES; kind++) {
		const struct draft_class *from = &draft->classes[kind];
		snprintf(path, sizeof(path), "mesh.ranges.%s", range_class_str(kind));
		for (size_t i = 0; i < from->n; i++) {
			/* A default stands nowhere in the file. */
			struct config_mark mark = from->given ? from->list[i].mark
							      : draft->ranges_mark;
			total_add(&n_ranges, 1, mark, path, diags);
			cover_add(ranges, &from->list[i].prefix);
		}
	}
	if (ranges->n == 0 && ranges->complete)
		diag_add(diags, draft->ranges_mark, "mesh.ranges",
			"no range in any class, so nothing comes out of the tunnel; name at least one");
	cover_finish(ranges);
}

void check_draft(const struct draft *draft, struct diag_list *diags)
{
	size_t n_networks = 0, n_ranges = 0;

	for (size_t i = 0; i < draft->config.n_lans; i++)
		n_networks += draft->config.lans[i].n_networks;
	for (size_t i = 0; i < RANGE_CLASSES; i++)
		n_ranges += draft->classes[i].n;

	[[gnu::cleanup(cover_clear)]] struct cover networks = cover_new(n_networks);
	[[gnu::cleanup(cover_clear)]] struct cover ranges = cover_new(n_ranges);
	check_lans(draft, &networks, diags);
	check_ranges(draft, &ranges, diags);
	overlap_check(draft, diags);
	check_allow(draft, &networks, &ranges, diags);
	check_probe(draft, &ranges, diags);
	check_bgp(draft, &networks, &ranges, diags);
	check_bridge(draft, diags);
	check_tunnel(draft, &networks, &ranges, diags);
}
