/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_diff_tunnel: the section `tunnel` as statements. A node of an edge is one.
 */
#include "conf/defaults.h"
#include "conf/print_tunnel.h"
#include "daemon/config_diff_int.h"
#include "lib/own.h"
#include "lib/xmalloc.h"

static void print_settings(const void *tunnel, FILE *out)
{
	print_tunnel_settings(tunnel, out);
}

static void print_node(const void *node, FILE *out)
{
	print_tunnel_node(node, out);
}

static void state_node(const struct config_node *node, struct config_changes *out)
{
	struct config_node usual = {.name = node->name};
	autofree char *text = config_print_text(print_node, node),
		      *other = config_print_text(print_node, &usual), *said = nullptr;
	size_t len;
	FILE *f = open_memstream(&said, &len);

	if (!f)
		out_of_memory();
	fprintf(f, "node %s", node->name);
	config_write_unusual(f, text, other, "; ");
	fclose(f);
	config_state(out, CHANGE_TUNNEL, nullptr, "%s", said);
}

void config_state_tunnel(const struct config_tunnel *tunnel, struct config_changes *out)
{
	struct config_tunnel usual = default_tunnel;
	autofree char *text = config_print_text(print_settings, tunnel),
		      *other = config_print_text(print_settings, &usual);

	if (!tunnel->configured)
		return;
	config_state_unusual(out, CHANGE_TUNNEL, text, other);
	for (size_t i = 0; i < tunnel->edge.n_nodes; i++)
		state_node(&tunnel->edge.nodes[i], out);
}
