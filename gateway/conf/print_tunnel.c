/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/print_tunnel.h"
#include "conf/duration.h"
#include "conf/print_value.h"
#include "conf/size.h"

/* ---- Lists; an empty one is not printed ---- */

static void print_endpoint(const struct config_listen *endpoint, FILE *out)
{
	bool v6 = endpoint->address.family == AF_INET6;
	char text[ADDR_STRLEN];

	fprintf(out, "\"%s%s%s:%u\"", v6 ? "[" : "", addr_str(&endpoint->address, text),
		v6 ? "]" : "", endpoint->port);
}

/* An edge may have a name; what is listened at has none. */
static void print_target(const struct config_listen *target, FILE *out)
{
	if (target->name)
		fputs("{address: ", out);
	print_endpoint(target, out);
	if (!target->name)
		return;
	fputs(", name: ", out);
	print_text(out, target->name);
	fputs("}", out);
}

static void print_targets(const char *key, const struct config_listen *list, size_t n, FILE *out)
{
	fprintf(out, "    %s: [", key);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : "", out);
		print_target(&list[i], out);
	}
	fputs("]\n", out);
}

/* As addresses, without a length. */
static void print_addresses(const char *key, const struct config_source *list, size_t n, FILE *out)
{
	if (n == 0)
		return;
	fprintf(out, "%s: [", key);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ", " : "", out);
		print_address(out, &list[i].prefix.addr);
	}
	fputs("]\n", out);
}

static void print_line(const char *key, const char *text, FILE *out)
{
	if (!text)
		return;
	fprintf(out, "%s: ", key);
	print_text(out, text);
	fputs("\n", out);
}

/* ---- Connector ---- */

static void print_dialect(const struct config_dialect *dialect, FILE *out)
{
	if (!dialect->protocol && !dialect->authority && !dialect->path &&
		!dialect->ignore_connect_protocol && !dialect->silent && dialect->n_settings == 0)
		return;
	fputs("    dialect:\n", out);
	print_line("      protocol", dialect->protocol, out);
	print_line("      authority", dialect->authority, out);
	print_line("      path", dialect->path, out);
	if (dialect->ignore_connect_protocol)
		fputs("      ignore_connect_protocol: true\n", out);
	if (dialect->silent)
		fputs("      silent: true\n", out);
	if (dialect->n_settings == 0)
		return;
	fputs("      settings: [", out);
	for (size_t i = 0; i < dialect->n_settings; i++)
		fprintf(out, "%s%u", i ? ", " : "", dialect->settings[i]);
	fputs("]\n", out);
}

static void print_connector(const struct config_connector *connector, FILE *out)
{
	fputs("  connector:\n", out);
	print_targets("edges", connector->edges, connector->n_edges, out);
	print_line("    server_name", connector->server_name, out);
	print_line("    template", connector->template, out);
	fputs("    peer:\n", out);
	print_texts("      pins", connector->pins, connector->n_pins, out);
	print_line("      ca_file", connector->ca_file, out);
	fputs("    accept:\n", out);
	print_prefixes(
		"      addresses", connector->accept_addresses, connector->n_accept_addresses, out);
	print_prefixes("      routes", connector->accept_routes, connector->n_accept_routes, out);
	fprintf(out, "      max_routes: %u\n", connector->max_routes);
	print_addresses("    addresses", connector->addresses, connector->n_addresses, out);
	print_prefixes("    routes", connector->routes, connector->n_routes, out);
	print_prefixes("    advertise", connector->advertise, connector->n_advertise, out);
	print_dialect(&connector->dialect, out);
}

/* ---- Edge ---- */

void print_tunnel_node(const struct config_node *node, FILE *out)
{
	char bytes[SIZE_STRLEN];

	print_line("      - name", node->name, out);
	fputs("        replicas:\n", out);
	for (size_t i = 0; i < node->n_replicas; i++) {
		print_line("          - name", node->replicas[i].name, out);
		print_texts(
			"            pins", node->replicas[i].pins, node->replicas[i].n_pins, out);
	}
	print_addresses("        addresses", node->addresses, node->n_addresses, out);
	print_prefixes("        routes", node->routes, node->n_routes, out);
	fprintf(out, "        promotion: %s\n", promotion_str(node->promotion));
	if (node->packets || node->bytes)
		fputs("        limits:\n", out);
	if (node->packets)
		fprintf(out, "          packets: %u\n", node->packets);
	if (node->bytes)
		fprintf(out, "          bytes: %s\n", size_str(node->bytes, bytes));
}

static void print_edge_settings(const struct config_edge *edge, FILE *out)
{
	fputs("  edge:\n", out);
	print_targets("listen", edge->listen, edge->n_listen, out);
	print_addresses("    addresses", edge->addresses, edge->n_addresses, out);
	print_prefixes("    pool", edge->pool, edge->n_pool, out);
	print_prefixes("    advertise", edge->advertise, edge->n_advertise, out);
	fprintf(out,
		"    limits:\n      connections: %u\n      handshakes: %u\n"
		"      unauthenticated: %u\n      retry_above: %u\n",
		edge->connections, edge->handshakes, edge->unauthenticated, edge->retry_above);
	print_dialect(&edge->dialect, out);
}

/* ---- Both ---- */

void print_tunnel_settings(const struct config_tunnel *tunnel, FILE *out)
{
	char keepalive[DURATION_STRLEN], idle[DURATION_STRLEN];

	print_line("  certificate_file", tunnel->certificate_file, out);
	print_line("  key_file", tunnel->key_file, out);
	print_line("  groups", tunnel->groups, out);
	fprintf(out, "  mtu: %u\n  keepalive: %s\n  idle: %s\n", tunnel->mtu,
		duration_str(tunnel->keepalive_ms * USEC_PER_MS, keepalive),
		duration_str(tunnel->idle_ms * USEC_PER_MS, idle));
	if (tunnel->role == TUNNEL_CONNECTOR)
		print_connector(&tunnel->connector, out);
	if (tunnel->role == TUNNEL_EDGE)
		print_edge_settings(&tunnel->edge, out);
}

void print_tunnel(const struct config_tunnel *tunnel, FILE *out)
{
	fputs("tunnel:\n", out);
	print_tunnel_settings(tunnel, out);
	if (tunnel->role != TUNNEL_EDGE)
		return;
	fputs("    nodes:\n", out);
	for (size_t i = 0; i < tunnel->edge.n_nodes; i++)
		print_tunnel_node(&tunnel->edge.nodes[i], out);
}
