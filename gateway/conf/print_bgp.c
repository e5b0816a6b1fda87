/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/print_bgp.h"
#include "conf/duration.h"
#include "conf/print_value.h"
#include <string.h>

static void print_remote_as(const struct config_neighbor *neighbor, FILE *out)
{
	static const char *const words[] = {
		[REMOTE_AS_EXTERNAL] = "external",
		[REMOTE_AS_INTERNAL] = "internal",
	};

	if (neighbor->remote_as == REMOTE_AS_NUMBER)
		fprintf(out, "      remote_as: %u\n", neighbor->asn);
	else
		fprintf(out, "      remote_as: %s\n", words[neighbor->remote_as]);
}

static void print_families(const struct config_neighbor *neighbor, FILE *out)
{
	if (neighbor->families_own)
		fprintf(out, "      families: [%s%s%s]\n", neighbor->ipv4 ? "ipv4" : "",
			neighbor->ipv4 && neighbor->ipv6 ? ", " : "", neighbor->ipv6 ? "ipv6" : "");
}

static void print_bfd(const struct config_neighbor *neighbor, FILE *out)
{
	char receive[DURATION_STRLEN], transmit[DURATION_STRLEN];

	if (neighbor->bfd)
		fprintf(out, "      bfd: {multiplier: %u, receive: %s, transmit: %s}\n",
			neighbor->bfd_multiplier,
			duration_str(neighbor->bfd_receive_ms * USEC_PER_MS, receive),
			duration_str(neighbor->bfd_transmit_ms * USEC_PER_MS, transmit));
}

static void print_timers(const struct config_neighbor *neighbor, FILE *out)
{
	char keepalive[DURATION_STRLEN], hold[DURATION_STRLEN], connect[DURATION_STRLEN];

	if (!neighbor->timers_own && neighbor->connect_s == 0)
		return;
	fputs("      timers: {", out);
	if (neighbor->timers_own)
		fprintf(out, "keepalive: %s, hold: %s",
			duration_str(neighbor->keepalive_s * USEC_PER_S, keepalive),
			duration_str(neighbor->hold_s * USEC_PER_S, hold));
	if (neighbor->timers_own && neighbor->connect_s)
		fputs(", ", out);
	if (neighbor->connect_s)
		fprintf(out, "connect: %s",
			duration_str(neighbor->connect_s * USEC_PER_S, connect));
	fputs("}\n", out);
}

static void print_update_source(const char *source, FILE *out)
{
	struct addr a;

	fputs("      update_source: ", out);
	if (addr_parse(source, &a) == 0)
		print_address(out, &a);
	else
		print_word(out, source);
	fputs("\n", out);
}

static void print_communities(const struct config_neighbor *neighbor, FILE *out)
{
	if (neighbor->n_communities == 0)
		return;
	fputs("      communities: [", out);
	for (size_t i = 0; i < neighbor->n_communities; i++) {
		const char *text = neighbor->communities[i];
		/* YAML 1.1 has numbers with colons, to the base of sixty. */
		fprintf(out, strchr(text, ':') ? "%s\"%s\"" : "%s%s", i ? ", " : "", text);
	}
	fputs("]\n", out);
}

static void print_accept(const struct config_neighbor *neighbor, FILE *out)
{
	if (neighbor->n_accept == 0)
		return;
	fputs("      accept:\n", out);
	for (size_t i = 0; i < neighbor->n_accept; i++) {
		const struct config_accept *accept = &neighbor->accept[i];
		bool exact = accept->le == accept->prefix.len;
		fputs(exact ? "        - " : "        - {prefix: ", out);
		print_prefix(out, &accept->prefix);
		if (exact)
			fputs("\n", out);
		else
			fprintf(out, ", le: %u}\n", accept->le);
	}
}

static void print_number(const char *key, uint32_t number, FILE *out)
{
	if (number)
		fprintf(out, "      %s: %u\n", key, number);
}

static void print_neighbor(const struct config_neighbor *neighbor, FILE *out)
{
	fputs("    - address: ", out);
	print_address(out, &neighbor->address);
	fputs("\n", out);
	print_remote_as(neighbor, out);
	print_families(neighbor, out);
	if (neighbor->description)
		fprintf(out, "      description: \"%s\"\n", neighbor->description);
	if (neighbor->password_file)
		fprintf(out, "      password_file: %s\n", neighbor->password_file);
	print_bfd(neighbor, out);
	print_timers(neighbor, out);
	if (neighbor->update_source)
		print_update_source(neighbor->update_source, out);
	print_number("ebgp_multihop", neighbor->ebgp_multihop, out);
	print_number("ttl_security", neighbor->ttl_security_hops, out);
	print_communities(neighbor, out);
	print_number("maximum_prefix", neighbor->maximum_prefix, out);
	print_accept(neighbor, out);
	fprintf(out, "      adopt: %s\n", neighbor->adopt ? "true" : "false");
}

void print_bgp(const struct config_bgp *bgp, FILE *out)
{
	fprintf(out, "bgp:\n  asn: %u\n", bgp->asn);
	if (bgp->router_id.family != AF_UNSPEC) {
		fputs("  router_id: ", out);
		print_address(out, &bgp->router_id);
		fputs("\n", out);
	}
	fprintf(out, "  announce_to_others: %s\n  neighbors:\n",
		bgp->announce_to_others ? "true" : "false");
	for (size_t i = 0; i < bgp->n_neighbors; i++)
		print_neighbor(&bgp->neighbors[i], out);
}
