/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/print.h"
#include "conf/config.h"
#include <errno.h>
#include <string.h>
#include <strings.h>

/* A plain scalar may not look like anything else to any reader of YAML 1.1. */
static bool is_plain_word(const char *text)
{
	static const char *const words[] = {
		"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(text, words[i]) == 0)
			return false;
	return strchr(letters, text[0]) != nullptr;
}

/* Interface names need no escaping inside quotes: see the whitelist in value.c. */
static void print_word(FILE *out, const char *text)
{
	fprintf(out, is_plain_word(text) ? "%s" : "\"%s\"", text);
}

/* IPv6 is full of colons, which mean something in YAML. */
static void print_quoted(FILE *out, uint8_t family, const char *text)
{
	fprintf(out, family == AF_INET6 ? "\"%s\"" : "%s", text);
}

static void print_prefix(FILE *out, const struct prefix *p)
{
	char text[PREFIX_STRLEN];

	print_quoted(out, p->addr.family, prefix_str(p, text));
}

static void print_address(FILE *out, const struct addr *a)
{
	char text[ADDR_STRLEN];

	print_quoted(out, a->family, addr_str(a, text));
}

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

static void print_network(const struct config_network *network, FILE *out)
{
	bool is_mapping = network->return_path_own || network->n_hosts > 0;

	fputs(is_mapping ? "      - prefix: " : "      - ", out);
	print_prefix(out, &network->prefix);
	fputs("\n", out);
	if (network->return_path_own)
		fprintf(out, "        return_path: %s\n", return_path_str(network->return_path));
	print_hosts(network, out);
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
	return fflush(out) == EOF || ferror(out) ? -EIO : 0;
}
