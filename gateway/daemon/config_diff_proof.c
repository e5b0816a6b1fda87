/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/defaults.h"
#include "conf/duration.h"
#include "daemon/config_diff_int.h"

void config_state_witnesses(const struct config_network *network, struct config_changes *out)
{
	char text[PREFIX_STRLEN];
	if (!network->learn_witnesses)
		config_state(out, CHANGE_WITNESS, &network->prefix, "%s: none",
			prefix_str(&network->prefix, text));
	for (size_t i = 0; i < network->n_witnesses; i++) {
		const struct config_witness *witness = &network->witnesses[i];
		config_state(out, CHANGE_WITNESS, &network->prefix, "%s port %u",
			addr_str(&witness->address, text), witness->port);
	}
}

static void state_duration(
	struct config_changes *out, const char *what, uint64_t us, uint64_t unless)
{
	char text[DURATION_STRLEN];
	if (us != unless)
		config_state(out, CHANGE_PROBE, nullptr, "%s %s", what, duration_str(us, text));
}

static void state_number(struct config_changes *out, const char *what, uint32_t n, uint32_t unless)
{
	if (n != unless)
		config_state(out, CHANGE_PROBE, nullptr, "%s %u", what, n);
}

void config_state_probe(const struct config_probe *probe, struct config_changes *out)
{
	const struct config_probe *d = &default_probe;
	char text[ADDR_STRLEN];
	for (size_t i = 0; i < sizeof(probe->source) / sizeof(probe->source[0]); i++)
		if (probe->source[i].family != AF_UNSPEC)
			config_state(out, CHANGE_PROBE, nullptr, "source %s",
				addr_str(&probe->source[i], text));
	state_duration(out, "interval", probe->interval_us, d->interval_us);
	state_duration(out, "after_event", probe->after_event_us, d->after_event_us);
	state_duration(out, "timeout", probe->timeout_us, d->timeout_us);
	state_number(out, "lost_after", probe->lost_rounds, d->lost_rounds);
	state_number(out, "lost_of", probe->lost_of, d->lost_of);
	state_number(out, "proven_after", probe->proven_rounds, d->proven_rounds);
	state_duration(out, "proven_hold", probe->proven_hold_us, d->proven_hold_us);
	state_number(out, "witnesses", probe->max_witnesses, d->max_witnesses);
	if (probe->accept_neighbor)
		config_state(out, CHANGE_PROBE, nullptr, "accept_neighbor");
}
