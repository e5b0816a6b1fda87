/* SPDX-License-Identifier: Apache-2.0 */
#include "answer/metrics_int.h"
#include "answer/openmetrics.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Lists of GetStatus: for each element a sample, with labels from its texts. */
struct gateway_list {
	struct openmetrics_family family;
	const char *in; /* object that holds the list, "" = the reply itself */
	const char *list;
	const char *labels[4]; /* names of texts of an element, up to nullptr */
	const char *value;     /* a number of the element; nullptr = 1 */
};

static const struct gateway_list gateway_lists[] = {
	{{"meshgw_condition", "gauge", "Conditions that stand.", 0}, "", "conditions",
		{"code", "severity", "subject"}, nullptr},
	{{"meshgw_network", "gauge", "Networks of the LAN, and how they are reached now.", 0}, "",
		"networks", {"prefix", "interface", "effective"}, nullptr},
	{{"meshgw_packets", "counter", "Packets by the counters of meshgw's own rules.", 0}, "",
		"counters", {"name"}, "packets"},
	{{"meshgw_bytes", "counter", "Bytes by the counters of meshgw's own rules.", 0}, "",
		"counters", {"name"}, "bytes"},
	{{"meshgw_bgp_session", "gauge", "BGP neighbours, and the state of their session.", 0},
		"bgp", "neighbors", {"address", "state"}, nullptr},
	{{"meshgw_bgp_announced", "gauge", "Prefixes that a neighbour was sent.", 0}, "bgp",
		"neighbors", {"address"}, "announced"},
	{{"meshgw_bgp_accepted", "gauge", "Prefixes that were taken from a neighbour.", 0}, "bgp",
		"neighbors", {"address"}, "accepted"},
	{{"meshgw_failed_flows", "gauge", "Flows that failed, as far as watching remembers.", 0},
		"", "flows", {"target", "code"}, "count"},
};

static const char *text_at(sd_json_variant *v, const char *key)
{
	sd_json_variant *text = sd_json_variant_by_key(v, key);

	return text && sd_json_variant_is_string(text) ? sd_json_variant_string(text) : "";
}

static void put_element(FILE *f, const struct gateway_list *list, sd_json_variant *v)
{
	struct openmetrics_label labels[COUNT(list->labels) + 1] = {};
	uint64_t n = 1;

	for (size_t i = 0; i < COUNT(list->labels) && list->labels[i]; i++)
		labels[i] = (struct openmetrics_label){
			list->labels[i], text_at(v, list->labels[i])};
	if (list->value) {
		sd_json_variant *value = sd_json_variant_by_key(v, list->value);
		if (!value || !sd_json_variant_is_unsigned(value))
			return;
		n = sd_json_variant_unsigned(value);
	}
	openmetrics_sample(f, &list->family, openmetrics_suffix(&list->family), labels, n);
}

static void put_gateway_list(FILE *f, const struct gateway_list *list, sd_json_variant *status)
{
	sd_json_variant *in = list->in[0] ? sd_json_variant_by_key(status, list->in) : status;
	sd_json_variant *array = in ? sd_json_variant_by_key(in, list->list) : nullptr;

	openmetrics_family(f, &list->family);
	if (!array || !sd_json_variant_is_array(array))
		return;
	for (size_t i = 0; i < sd_json_variant_elements(array); i++)
		put_element(f, list, sd_json_variant_by_index(array, i));
}

void metrics_put_gateway(FILE *f, const struct metrics *m)
{
	openmetrics_single(f, "meshgw_up", "gauge", "Does meshgwd answer?", m->gateway != nullptr);
	if (!m->gateway)
		return;
	sd_json_variant *repairs = sd_json_variant_by_key(m->gateway, "repairs");
	if (repairs && sd_json_variant_is_unsigned(repairs))
		openmetrics_single(f, "meshgw_repairs", "counter", "Repairs since meshgwd's start.",
			sd_json_variant_unsigned(repairs));
	for (size_t i = 0; i < COUNT(gateway_lists); i++)
		put_gateway_list(f, &gateway_lists[i], m->gateway);
}
