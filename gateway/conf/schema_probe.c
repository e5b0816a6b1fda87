/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/schema_probe.h"
#include "conf/arena.h"
#include "conf/schema_table.h"
#include "conf/value.h"
#include "conf/value_number.h"
#include <string.h>

static const struct list witness_list = {
	.size = sizeof(struct config_witness),
	.max = CONFIG_MAX_WITNESSES,
	.what = "witnesses",
	.if_empty = "write none to have no witness, or leave the key out to have them learned",
	.element = {.type = TEXT,
		.expects = "ADDRESS:PORT of a TCP service",
		.read = value_witness,
		MARK(struct config_witness, mark)},
};

void schema_read_witness(struct reader *r, const yaml_node_t *node, void *to)
{
	struct config_network *network = to;

	if (node->type == YAML_SEQUENCE_NODE) {
		network->witnesses = reader_list(r, &witness_list, node, &network->n_witnesses);
	} else if (strcmp(reader_text(node), "none") == 0) {
		network->learn_witnesses = false;
	} else {
		network->n_witnesses = 1;
		network->witnesses = arena_alloc(r->arena, 1, sizeof(*network->witnesses));
		reader_value(r, &witness_list.element, node, network->witnesses);
	}
}

static const struct list source_list = {
	.size = sizeof(struct draft_address),
	.max = CONFIG_MAX_PROBE_SOURCES,
	.what = "sources",
	.if_empty = "leave the key out to have them chosen",
	.element = {.type = TEXT,
		.expects = "an unused address of a range",
		.read = value_address,
		AT(struct draft_address, address),
		MARK(struct draft_address, mark)},
};

/* Bounds of durations are in milliseconds. */
static const struct field fields[] = {
	{.key = "sources",
		.type = LIST,
		.expects = "a list of addresses, one for each family",
		.list = &source_list,
		AT(struct draft, probe.sources),
		COUNT(struct draft, probe.n_sources)},
	{.key = "interval",
		.type = TEXT,
		.expects = "a duration like 10s",
		.min = 100,
		.max = 3600 * 1000,
		.read = value_microseconds,
		AT(struct draft, config.probe.interval_us),
		MARK(struct draft, probe.interval)},
	{.key = "after_event",
		.type = TEXT,
		.expects = "a duration like 1s",
		.max = 60 * 1000,
		.read = value_microseconds,
		AT(struct draft, config.probe.after_event_us)},
	{.key = "timeout",
		.type = TEXT,
		.expects = "a duration like 1s",
		.min = 10,
		.max = 60 * 1000,
		.read = value_microseconds,
		AT(struct draft, config.probe.timeout_us),
		MARK(struct draft, probe.timeout)},
	{.key = "lost_after",
		.type = TEXT,
		.expects = "a number of rounds",
		.min = 1,
		.max = 32,
		.read = value_u32,
		AT(struct draft, config.probe.lost_rounds),
		MARK(struct draft, probe.lost_after)},
	{.key = "lost_of",
		.type = TEXT,
		.expects = "a number of rounds",
		.min = 1,
		.max = 32,
		.read = value_u32,
		AT(struct draft, config.probe.lost_of),
		MARK(struct draft, probe.lost_of)},
	{.key = "proven_after",
		.type = TEXT,
		.expects = "a number of rounds",
		.min = 1,
		.max = 32,
		.read = value_u32,
		AT(struct draft, config.probe.proven_rounds)},
	{.key = "proven_hold",
		.type = TEXT,
		.expects = "a duration like 30s",
		.max = 24 * 3600 * 1000,
		.read = value_microseconds,
		AT(struct draft, config.probe.proven_hold_us)},
	{.key = "witnesses",
		.type = TEXT,
		.expects = "how many witnesses of a network are asked in a round",
		.min = 1,
		.max = CONFIG_MAX_WITNESSES,
		.read = value_u32,
		AT(struct draft, config.probe.max_witnesses)},
	{.key = "accept_neighbor",
		.type = TEXT,
		.expects = "true or false",
		.read = value_bool,
		AT(struct draft, config.probe.accept_neighbor)},
};
const struct mapping schema_probe = FIELDS(fields);
