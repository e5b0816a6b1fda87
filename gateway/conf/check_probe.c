/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/check_probe.h"
#include "conf/cover.h"
#include "conf/diag.h"
#include "conf/duration.h"
#include "conf/schema.h"
#include <stdio.h>

/* ---- Witnesses ---- */

static void check_witness(
	const struct config_network *network, size_t i, const char *path, struct diag_list *diags)
{
	const struct config_witness *list = network->witnesses, *witness = &list[i];
	char address[ADDR_STRLEN], prefix[PREFIX_STRLEN];

	addr_str(&witness->address, address);
	if (network->prefix.addr.family != AF_UNSPEC &&
		!prefix_contains_addr(&network->prefix, &witness->address))
		diag_add(diags, witness->mark, path, "%s is not inside the network %s", address,
			prefix_str(&network->prefix, prefix));
	for (size_t j = 0; j < i; j++) { /* at most CONFIG_MAX_WITNESSES */
		if (list[j].port != witness->port || addr_cmp(&list[j].address, &witness->address))
			continue;
		diag_add(diags, witness->mark, path,
			"%s with port %u stands here already, at %u:%u; remove one", address,
			witness->port, list[j].mark.line, list[j].mark.column);
		return;
	}
}

void check_witnesses(
	const struct config_network *network, const char *path, struct diag_list *diags)
{
	char where[128];

	for (size_t i = 0; i < network->n_witnesses; i++) {
		if (network->witnesses[i].port == 0)
			continue;
		snprintf(where, sizeof(where), "%s.witness", path);
		if (network->n_witnesses > 1)
			snprintf(where, sizeof(where), "%s.witness[%zu]", path, i);
		check_witness(network, i, where, diags);
	}
}

/* ---- The probe ---- */

static void check_source(const struct draft_probe *probe, size_t i, const struct cover *ranges,
	struct diag_list *diags)
{
	const struct draft_address *source = &probe->sources[i];
	struct prefix host = prefix_of(&source->address);
	char path[64], address[ADDR_STRLEN];

	snprintf(path, sizeof(path), "probe.sources[%zu]", i);
	addr_str(&source->address, address);
	if (ranges->complete && !cover_has(ranges, &host))
		diag_add(diags, source->mark, path, "%s is not inside a range of mesh.ranges",
			address);
	if (i > 0 && probe->sources[0].address.family == source->address.family)
		diag_add(diags, source->mark, path,
			"%s is a second IPv%d address; one of each family is possible", address,
			source->address.family == AF_INET ? 4 : 6);
}

/* Where the file says one of them; both may be. */
static struct config_mark either(struct config_mark mark, struct config_mark other)
{
	return mark.line ? mark : other;
}

static void check_numbers(const struct draft *draft, struct diag_list *diags)
{
	const struct config_probe *probe = &draft->config.probe;
	const struct draft_probe *marks = &draft->probe;
	char timeout[DURATION_STRLEN], interval[DURATION_STRLEN];

	if (probe->timeout_us != DURATION_UNSET && probe->interval_us != DURATION_UNSET &&
		probe->timeout_us >= probe->interval_us)
		diag_add(diags, either(marks->timeout, marks->interval),
			marks->timeout.line ? "probe.timeout" : "probe.interval",
			"a timeout of %s%s is not shorter than the interval of %s%s",
			duration_str(probe->timeout_us, timeout),
			marks->timeout.line ? "" : " (the default)",
			duration_str(probe->interval_us, interval),
			marks->interval.line ? "" : " (the default)");
	if (probe->lost_of && probe->lost_rounds > probe->lost_of)
		diag_add(diags, either(marks->lost_after, marks->lost_of),
			marks->lost_after.line ? "probe.lost_after" : "probe.lost_of",
			"%u failed rounds of %u are not possible; lost_after may be lost_of at most",
			probe->lost_rounds, probe->lost_of);
}

void check_probe(const struct draft *draft, const struct cover *ranges, struct diag_list *diags)
{
	for (size_t i = 0; i < draft->probe.n_sources; i++)
		if (draft->probe.sources[i].address.family != AF_UNSPEC)
			check_source(&draft->probe, i, ranges, diags);
	check_numbers(draft, diags);
}
