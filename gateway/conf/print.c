/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/print.h"
#include "conf/config.h"
#include "conf/duration.h"
#include "conf/print_bgp.h"
#include "conf/print_bridge.h"
#include "conf/print_tunnel.h"
#include "conf/print_value.h"
#include <errno.h>

/* A single address without its length. */
static void print_target(FILE *out, const struct prefix *p)
{
	if (p->len == addr_bits(p->addr.family))
		print_address(out, &p->addr);
	else
		print_prefix(out, p);
}

static void print_class(const struct config *config, enum range_class kind, FILE *out)
{
	const char *separator = "";

	fprintf(out, "    %s: [", range_class_str(kind));
	for (size_t i = 0; i < config->n_ranges; i++) {
		if (config->ranges[i].class != kind)
			continue;
		fputs(separator, out);
		print_prefix(out, &config->ranges[i].prefix);
		separator = ", ";
	}
	fputs("]\n", out);
}

static void print_mesh(const struct config *config, FILE *out)
{
	fputs("mesh:\n  interface: ", out);
	print_word(out, config->mesh_interface);
	fputs("\n  ranges:\n", out);
	for (enum range_class kind = 0; kind < RANGE_CLASSES; kind++)
		print_class(config, kind, out);
}

static void print_hosts(const struct config_network *network, FILE *out)
{
	if (network->n_hosts > 0)
		fputs("        hosts:\n", out);
	for (size_t i = 0; i < network->n_hosts; i++) {
		const struct config_host *host = &network->hosts[i];
		fputs("          - {address: ", out);
		print_address(out, &host->address);
		fprintf(out, ", return_path: %s}\n", return_path_str(host->return_path));
	}
}

static void print_witnesses(const struct config_network *network, FILE *out)
{
	char text[ADDR_STRLEN];

	if (!network->learn_witnesses)
		fputs("        witness: none\n", out);
	if (network->n_witnesses == 0)
		return;
	fputs("        witness: [", out);
	for (size_t i = 0; i < network->n_witnesses; i++) {
		const struct config_witness *witness = &network->witnesses[i];
		bool v6 = witness->address.family == AF_INET6;
		fprintf(out, "%s\"%s%s%s:%u\"", i ? ", " : "", v6 ? "[" : "",
			addr_str(&witness->address, text), v6 ? "]" : "", witness->port);
	}
	fputs("]\n", out);
}

static void print_network(const struct config_network *network, FILE *out)
{
	bool is_mapping = network->return_path_own || network->n_hosts > 0 ||
			  network->n_witnesses > 0 || !network->learn_witnesses;

	fputs(is_mapping ? "      - prefix: " : "      - ", out);
	print_prefix(out, &network->prefix);
	fputs("\n", out);
	if (network->return_path_own)
		fprintf(out, "        return_path: %s\n", return_path_str(network->return_path));
	print_hosts(network, out);
	print_witnesses(network, out);
}

static void print_lan(const struct config_lan *lan, FILE *out)
{
	fputs("  - interface: ", out);
	print_word(out, lan->interface);
	fputs("\n    networks:\n", out);
	for (size_t i = 0; i < lan->n_networks; i++)
		print_network(&lan->networks[i], out);
}

static void print_sources(const struct config_allow *allow, FILE *out)
{
	const char *separator = "";

	fputs("{from: [", out);
	for (enum range_class kind = 0; kind < RANGE_CLASSES; kind++) {
		if (!(allow->from_classes & 1U << kind))
			continue;
		fprintf(out, "%s%s", separator, range_class_str(kind));
		separator = ", ";
	}
	for (size_t i = 0; i < allow->n_from; i++) {
		fputs(separator, out);
		print_target(out, &allow->from[i]);
		separator = ", ";
	}
	fputs("]", out);
}

static void print_ports(const char *key, const struct port_range *ports, size_t n, FILE *out)
{
	if (n == 0)
		return;
	if (n == 1 && ports[0].first == 1 && ports[0].last == UINT16_MAX) {
		fprintf(out, ", %s: all", key);
		return;
	}
	fprintf(out, ", %s: [", key);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : "", out);
		if (ports[i].first == ports[i].last)
			fprintf(out, "%u", ports[i].first);
		else
			fprintf(out, "\"%u-%u\"", ports[i].first, ports[i].last);
	}
	fputs("]", out);
}

static void print_allow(const struct config_allow *allow, FILE *out)
{
	fputs("  - ", out);
	print_sources(allow, out);
	fputs(", to: ", out);
	print_target(out, &allow->to);
	print_ports("tcp", allow->tcp, allow->n_tcp, out);
	print_ports("udp", allow->udp, allow->n_udp, out);
	fputs(allow->icmp ? ", icmp: true}\n" : "}\n", out);
}

static void print_duration(const char *key, uint64_t us, FILE *out)
{
	char text[DURATION_STRLEN];

	fprintf(out, "  %s: %s\n", key, duration_str(us, text));
}

static void print_probe(const struct config_probe *probe, FILE *out)
{
	const char *separator = "  sources: [", *end = "";

	fputs("probe:\n", out);
	for (size_t i = 0; i < sizeof(probe->source) / sizeof(probe->source[0]); i++) {
		if (probe->source[i].family == AF_UNSPEC)
			continue;
		fputs(separator, out);
		print_address(out, &probe->source[i]);
		separator = ", ";
		end = "]\n";
	}
	fputs(end, out);
	print_duration("interval", probe->interval_us, out);
	print_duration("after_event", probe->after_event_us, out);
	print_duration("timeout", probe->timeout_us, out);
	fprintf(out, "  lost_after: %u\n  lost_of: %u\n  proven_after: %u\n", probe->lost_rounds,
		probe->lost_of, probe->proven_rounds);
	print_duration("proven_hold", probe->proven_hold_us, out);
	fprintf(out, "  witnesses: %u\n  accept_neighbor: %s\n", probe->max_witnesses,
		probe->accept_neighbor ? "true" : "false");
}

static void print_remedies(uint32_t remedies, FILE *out)
{
	const char *separator = "";

	fputs("remedies: [", out);
	for (enum remedy remedy = 0; remedy < REMEDIES; remedy++) {
		if (!(remedies & 1U << remedy))
			continue;
		fprintf(out, "%s%s", separator, remedy_str(remedy));
		separator = ", ";
	}
	fputs("]\n", out);
}

int config_print(const struct config *config, FILE *out)
{
	print_mesh(config, out);
	fputs("lan:\n", out);
	for (size_t i = 0; i < config->n_lans; i++)
		print_lan(&config->lans[i], out);
	fprintf(out, "return_path: %s\n", return_path_str(config->return_path));
	if (config->has_allow)
		fputs(config->n_allow ? "allow:\n" : "allow: []\n", out);
	for (size_t i = 0; i < config->n_allow; i++)
		print_allow(&config->allow[i], out);
	print_probe(&config->probe, out);
	if (config->bgp.configured)
		print_bgp(&config->bgp, out);
	if (config->bridge.configured)
		print_bridge(&config->bridge, out);
	if (config->tunnel.configured)
		print_tunnel(&config->tunnel, out);
	print_remedies(config->remedies, out);
	if (config->watch_own)
		fprintf(out, "watch: %s\n", config->watch ? "true" : "false");
	return fflush(out) == EOF || ferror(out) ? -EIO : 0;
}
