/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/value_bgp.h"
#include "conf/arena.h"
#include "conf/diag.h"
#include "conf/value.h"
#include "conf/value_number.h"
#include "conf/value_word.h"
#include <stdio.h>
#include <string.h>

static char *copy_text(struct reader *r, const char *text)
{
	return arena_strdup(r->arena, text);
}

/* ---- AS numbers ---- */

/* RFC 7607, RFC 6793 section 9, RFC 7300. */
static bool asn_is_reserved(uint64_t asn)
{
	return asn == 0 || asn == 23456 || asn == UINT16_MAX || asn == UINT32_MAX;
}

/* RFC 5396: "65000.1" is 65000 * 65536 + 1. */
static bool parse_asdot(const char *text, uint64_t *asn)
{
	const char *dot = strchr(text, '.');
	char high_text[sizeof("65535")] = "";
	uint64_t high, low;

	if (!dot || (size_t)(dot - text) >= sizeof(high_text))
		return false;
	memcpy(high_text, text, (size_t)(dot - text));
	if (number_parse(high_text, UINT16_MAX, &high) < 0 ||
		number_parse(dot + 1, UINT16_MAX, &low) < 0)
		return false;
	*asn = high << 16 | low;
	return true;
}

static void read_asn(struct reader *r, const yaml_node_t *node, const char *expected, uint32_t *to)
{
	uint64_t asn;

	if (parse_asdot(reader_text(node), &asn))
		MISTAKE(r, node, "write the AS number %s as %llu", reader_shown(node).text,
			(unsigned long long)asn);
	else if (number_parse(reader_text(node), UINT32_MAX, &asn) < 0)
		MISTAKE(r, node, "\"%s\" is not %s", reader_shown(node).text, expected);
	else if (asn_is_reserved(asn))
		MISTAKE(r, node,
			"the AS number %s is reserved; for use within a site there are "
			"64512 to 65534 and 4200000000 to 4294967294",
			reader_text(node));
	else
		*to = (uint32_t)asn;
}

void value_asn(struct reader *r, const yaml_node_t *node, void *to)
{
	read_asn(r, node, "an AS number from 1 to 4294967294", to);
}

void value_remote_as(struct reader *r, const yaml_node_t *node, void *to)
{
	static const char *const list[] = {"external", "internal"};
	static const struct words words = {list, 2, nullptr};
	struct config_neighbor *neighbor = to;
	struct suggestion best = {};

	switch (words_find(&words, reader_text(node), &best)) {
	case 0:
		neighbor->remote_as = REMOTE_AS_EXTERNAL;
		return;
	case 1:
		neighbor->remote_as = REMOTE_AS_INTERNAL;
		return;
	default:
		break;
	}
	if (best.word)
		MISTAKE(r, node,
			"\"%s\" is not an AS number, external or internal; did you mean %s?",
			reader_shown(node).text, best.word);
	else
		read_asn(r, node, "an AS number, external or internal", &neighbor->asn);
}

/* ---- Addresses ---- */

/* Any number but 0 (RFC 6286), written like an IPv4 address. */
void value_router_id(struct reader *r, const yaml_node_t *node, void *to)
{
	static const struct addr none = {.family = AF_INET};
	struct addr a;

	if (addr_parse(reader_text(node), &a) < 0 || a.family != AF_INET || !addr_cmp(&a, &none))
		MISTAKE(r, node, "\"%s\" is not a router ID like 192.0.2.1, an IPv4 address",
			reader_shown(node).text);
	else
		memcpy(to, &a, sizeof(a));
}

void value_neighbor_address(struct reader *r, const yaml_node_t *node, void *to)
{
	static const struct prefix link_local4 = {{AF_INET, {169, 254}}, 16};
	static const struct prefix link_local6 = {{AF_INET6, {0xfe, 0x80}}, 10};
	struct addr a = {};

	value_address(r, node, &a);
	if (a.family == AF_UNSPEC)
		return;
	struct prefix host = prefix_of(&a);
	const char *special = prefix_special_str(&host);
	if (prefix_contains_addr(&link_local6, &a))
		MISTAKE(r, node,
			"%s is a link-local address, which says nothing without an interface; "
			"use the router's global or unique local one",
			reader_text(node));
	else if (special && !prefix_contains_addr(&link_local4, &a))
		MISTAKE(r, node, "%s is %s address space; no router answers there",
			reader_text(node), special);
	else
		memcpy(to, &a, sizeof(a));
}

void value_accept(struct reader *r, const yaml_node_t *node, void *to)
{
	struct prefix p;

	if (prefix_parse(reader_text(node), &p) == 0 && p.len == 0)
		memcpy(to, &p, sizeof(p));
	else
		value_network(r, node, to);
}

/* ---- Texts ---- */

/* FRR keeps 80 characters of a description (bgp_vty.c), and ours begins with "meshgw ". It puts the
 * words together again with one space between them. */
constexpr size_t DESCRIPTION_MAX = 80 - 7;

static const char *description_fault(const char *text)
{
	static const char allowed[] = LETTERS DIGITS " .,:;_@/()+=&'-";

	if (text[0] == '\0')
		return "is empty";
	if (strlen(text) > DESCRIPTION_MAX)
		return "is longer than 73 characters";
	if (text[strspn(text, allowed)] != '\0')
		return "has a character that is not a letter, a digit, a space or one of "
		       ". , : ; _ @ / ( ) + = & ' -";
	if (text[0] == ' ' || text[strlen(text) - 1] == ' ' || strstr(text, "  "))
		return "has spaces at an end, or two in a row";
	return nullptr;
}

void value_description(struct reader *r, const yaml_node_t *node, void *to)
{
	const char *fault = description_fault(reader_text(node));

	if (fault)
		MISTAKE(r, node, "\"%s\" is no usable description: it %s", reader_shown(node).text,
			fault);
	else
		*(char **)to = copy_text(r, reader_text(node));
}

/* A loopback interface is a good source here: value_interface() would refuse it. */
void value_update_source(struct reader *r, const yaml_node_t *node, void *to)
{
	const char *text = reader_text(node);
	bool is_name = !strchr(text, ':') && text[strspn(text, DIGITS ".")] != '\0';
	char name[IFNAMSIZ] = "lo", canonical[ADDR_STRLEN];
	struct addr a = {};

	if (is_name && strcmp(text, "lo") != 0) {
		name[0] = '\0';
		value_interface(r, node, name);
	} else if (!is_name) {
		value_neighbor_address(r, node, &a);
	}
	if (is_name && name[0])
		*(char **)to = copy_text(r, name);
	else if (a.family != AF_UNSPEC)
		*(char **)to = copy_text(r, addr_str(&a, canonical));
}

/* ---- Communities ---- */

/* IANA's "BGP Well-known Communities", those that a router may send, as FRR spells them
 * (bgpd/bgp_community.c). The first number of all is 65535. */
static const struct {
	const char *name;
	uint16_t number;
} well_known[] = {
	{"graceful-shutdown", 0},
	{"blackhole", 666},
	{"no-export", 65281},
	{"no-advertise", 65282},
	{"local-AS", 65283},
	{"no-peer", 65284},
};
constexpr size_t N_WELL_KNOWN = sizeof(well_known) / sizeof(well_known[0]);

/* The numbers between colons; how many, or 0 if something else stands there. */
static size_t split_numbers(const char *text, uint64_t numbers[3])
{
	char part[sizeof("4294967295")];

	for (size_t n = 0; n < 3; n++) {
		size_t len = strspn(text, DIGITS);
		if (len == 0 || len >= sizeof(part))
			return 0;
		memcpy(part, text, len);
		part[len] = '\0';
		if (number_parse(part, UINT32_MAX, &numbers[n]) < 0)
			return 0;
		if (text[len] == '\0')
			return n + 1;
		if (text[len] != ':')
			return 0;
		text += len + 1;
	}
	return 0;
}

/* As FRR would write it, or nullptr. */
static const char *canonical_community(const char *text, char *buf, size_t size)
{
	uint64_t numbers[3];
	size_t n = split_numbers(text, numbers);

	for (size_t i = 0; i < N_WELL_KNOWN; i++)
		if (strcmp(text, well_known[i].name) == 0 ||
			(n == 2 && numbers[0] == UINT16_MAX && numbers[1] == well_known[i].number))
			return well_known[i].name;
	bool standard = n == 2 && numbers[0] < UINT16_MAX && numbers[1] <= UINT16_MAX &&
			numbers[0] + numbers[1] > 0;
	if (!standard && n != 3)
		return nullptr;
	snprintf(buf, size, "%s", text);
	return buf;
}

void value_community(struct reader *r, const yaml_node_t *node, void *to)
{
	const char *text = reader_text(node), *canonical;
	struct suggestion best = {};
	char buf[sizeof("4294967295:4294967295:4294967295")];

	canonical = canonical_community(text, buf, sizeof(buf));
	if (canonical) {
		*(char **)to = copy_text(r, canonical);
		return;
	}
	for (size_t i = 0; i < N_WELL_KNOWN; i++)
		suggest_offer(&best, text, well_known[i].name);
	if (best.word)
		MISTAKE(r, node, "\"%s\" is not a community; did you mean %s?",
			reader_shown(node).text, best.word);
	else
		MISTAKE(r, node,
			"\"%s\" is not a community like \"65010:100\", a large one like "
			"\"65010:1:2\", or a well-known one like no-export",
			reader_shown(node).text);
}
