/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/diff_int.h"
#include "frr/text.h"
#include <string.h>

/* Settings of a neighbour: `neighbor PEER <words>`, the longer of two that begin alike first. */
static const struct {
	const char *words;
	enum diff_setting foreign; /* what is done when it runs, but is not wanted */
} settings[] = {
	/* What a neighbour of ours is made of. */
	{"activate", SETTING_REMOVE},
	{"bfd profile", SETTING_REMOVE},
	{"bfd", SETTING_REMOVE},
	{"description", SETTING_REMOVE},
	{"ebgp-multihop", SETTING_REMOVE},
	{"graceful-restart-disable", SETTING_REMOVE},
	{"graceful-restart-helper", SETTING_REMOVE},
	{"graceful-restart", SETTING_REMOVE},
	{"maximum-prefix", SETTING_REMOVE},
	{"password", SETTING_REMOVE},
	{"remote-as", SETTING_KEEP},
	{"route-map", SETTING_REMOVE},
	{"timers connect", SETTING_REMOVE},
	{"timers", SETTING_REMOVE},
	{"ttl-security", SETTING_REMOVE},
	{"update-source", SETTING_REMOVE},
	/* What goes past the outbound route-map (bgpd/bgp_updgrp_adv.c; bgpd/bgp_route.c,
	 * subgroup_announce_check). */
	{"advertise-map", SETTING_REMOVE_REPORT},
	{"default-originate", SETTING_REMOVE_REPORT},
	{"unsuppress-map", SETTING_REMOVE_REPORT},
	/* What changes nothing about it. */
	{"advertisement-interval", SETTING_KEEP},
	{"allowas-in", SETTING_KEEP},
	{"capability", SETTING_KEEP},
	{"shutdown", SETTING_KEEP}, /* an operator's word; the session's state shows it */
	{"soft-reconfiguration", SETTING_KEEP},
};
constexpr size_t N_SETTINGS = sizeof(settings) / sizeof(settings[0]);

/* Objects other than neighbours, of which there is one each in its block. */
static const char *const single[] = {
	"bgp router-id",
	"detect-multiplier",
	"match ip address prefix-list",
	"match ipv6 address prefix-list",
	"receive-interval",
	"set community",
	"set large-community",
	"transmit-interval",
};

static const char *find_setting(const char *setting, enum diff_setting *foreign)
{
	for (size_t i = 0; i < N_SETTINGS; i++) {
		if (text_after(setting, settings[i].words)) {
			*foreign = settings[i].foreign;
			return settings[i].words;
		}
	}
	*foreign = SETTING_REPORT;
	return nullptr;
}

/* The families that we exchange: in another the outbound policy is missing. */
static bool is_our_family(const char *part)
{
	return !part[0] || strcmp(part, frr_family_part(false)) == 0 ||
	       strcmp(part, frr_family_part(true)) == 0;
}

enum diff_setting diff_judge_setting(
	const struct diff *, const struct frr_statement *s, const char *setting)
{
	enum diff_setting foreign;
	if (!is_our_family(s->part))
		return strcmp(setting, "activate") == 0 && !text_begins(s->text, "no ")
			       ? SETTING_REMOVE_REPORT
			       : SETTING_KEEP;
	find_setting(setting, &foreign);
	return foreign;
}

/* "in" or "out" of `route-map NAME in`. */
static const char *last_word(const char *text)
{
	const char *blank = strrchr(text, ' ');
	return blank ? blank + 1 : text;
}

static bool same_setting(const char *a, const char *b)
{
	enum diff_setting foreign;
	const char *words = find_setting(a, &foreign);
	if (!words || find_setting(b, &foreign) != words)
		return false;
	return strcmp(words, "route-map") != 0 || strcmp(last_word(a), last_word(b)) == 0;
}

bool diff_same_thing(const char *a, const char *b)
{
	const char *peer_a, *peer_b, *setting_a, *setting_b;
	if (frr_statement_neighbor(a, &peer_a, &setting_a) &&
		frr_statement_neighbor(b, &peer_b, &setting_b))
		return setting_a - peer_a == setting_b - peer_b &&
		       strncmp(peer_a, peer_b, (size_t)(setting_a - peer_a)) == 0 &&
		       same_setting(setting_a, setting_b);
	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
		if (text_after(a, single[i]))
			return text_after(b, single[i]);
	return false;
}

size_t diff_shown_len(const char *text)
{
	const char *peer, *setting;
	if (frr_statement_neighbor(text, &peer, &setting) && text_after(setting, "password"))
		return (size_t)(setting - text) + strlen("password");
	return strlen(text);
}
