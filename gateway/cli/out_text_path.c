/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out_text_path: the path of a packet as a picture, with a cross where a condition breaks it.
 *
 *     Worker ──▶ tunnel ──▶ CloudflareWARP ──▶ eth0 ──▶ LAN
 *     Worker ◀── tunnel ◀── CloudflareWARP ◀─✗ eth0 ◀── LAN
 */
#include "cli/out.h"
#include "lib/escape.h"
#include <string.h>

/* Between which two stations: the number is that of the left one. */
enum hop { HOP_EDGE, HOP_TUNNEL, HOP_GATEWAY, HOP_LAN, HOPS };

enum { THERE = 1, BACK = 2 };

/* Which part of the picture a condition breaks, while it is an error. */
static const struct {
	const char *code;
	enum hop hop;
	unsigned directions;
} faults[] = {
	{"tunnel-interface-missing", HOP_TUNNEL, THERE | BACK},
	{"tunnel-interface-down", HOP_TUNNEL, THERE | BACK},
	{"tunnel-queue-full", HOP_TUNNEL, BACK},
	{"forwarding-disabled", HOP_GATEWAY, THERE | BACK},
	{"rp-filter-strict", HOP_GATEWAY, THERE},
	{"return-route-missing", HOP_GATEWAY, BACK},
	{"return-route-shadowed", HOP_GATEWAY, BACK},
	{"policy-rule-captures-return", HOP_GATEWAY, BACK},
	{"warp-table-captures-lan", HOP_GATEWAY, THERE},
	{"route-wrong-egress", HOP_GATEWAY, THERE},
	{"no-route-to-destination", HOP_GATEWAY, THERE},
	{"route-refused", HOP_GATEWAY, THERE},
	{"nat-no-source-address", HOP_GATEWAY, THERE},
	{"lan-interface-missing", HOP_LAN, THERE | BACK},
	{"lan-interface-down", HOP_LAN, THERE | BACK},
};

static void mark_faults(const struct status *s, unsigned broken[static HOPS])
{
	const struct reply_condition *list = s->conditions.items;

	for (size_t i = 0; i < s->conditions.n; i++) {
		if (strcmp(list[i].severity, "error") != 0)
			continue;
		for (size_t j = 0; j < sizeof(faults) / sizeof(faults[0]); j++)
			if (strcmp(faults[j].code, list[i].code) == 0)
				broken[faults[j].hop] |= faults[j].directions;
	}
}

static bool named_before(const struct reply_network *list, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(list[j].interface, list[i].interface) == 0)
			return true;
	return false;
}

/* "eth0", "eth0, eth1": each once. */
static void lan_interfaces(const struct status *s, char *out, size_t size)
{
	const struct reply_network *list = s->networks.items;
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < s->networks.n && used + 1 < size; i++) {
		char name[64];
		if (named_before(list, i))
			continue;
		escape_text(list[i].interface, strlen(list[i].interface), name, sizeof(name));
		used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", name);
	}
}

static void print_arrow(const struct term *t, unsigned direction, bool broken)
{
	/* by character set, direction and health */
	static const char *const arrows[2][2][2] = {
		{{" --> ", " x-> "}, {" <-- ", " <-x "}},
		{{" ──▶ ", " ✗─▶ "}, {" ◀── ", " ◀─✗ "}},
	};

	term_raw(t, broken ? STYLE_BAD : STYLE_DIM, arrows[t->utf8][direction == BACK][broken]);
}

static void print_line(const struct term *t, const char *const stations[static HOPS + 1],
	const unsigned broken[static HOPS], unsigned direction)
{
	term_raw(t, STYLE_PLAIN, "  ");
	for (size_t i = 0; i <= HOPS; i++) {
		term_print(t, STYLE_PLAIN, "%s", stations[i]);
		if (i < HOPS)
			print_arrow(t, direction, broken[i] & direction);
	}
	term_raw(t, STYLE_PLAIN, "\n");
}

void out_text_path(const struct view *v, const struct status *s)
{
	char lan[256];
	unsigned broken[HOPS] = {};

	if (!s->mesh_interface || !s->networks.n || strcmp(s->phase, "up") != 0)
		return;
	lan_interfaces(s, lan, sizeof(lan));
	const char *stations[HOPS + 1] = {"Worker", "tunnel", s->mesh_interface, lan, "LAN"};
	mark_faults(s, broken);
	term_raw(&v->out, STYLE_PLAIN, "\n");
	print_line(&v->out, stations, broken, THERE);
	print_line(&v->out, stations, broken, BACK);
}
