/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fix_text: steps in the words of an Operation.
 */
#include "daemon/fix.h"
#include "nft/rule.h"
#include <inttypes.h>
#include <stdio.h>

static const struct {
	const char *action, *kind;
} words[FIX_KINDS] = {
	[FIX_SYSCTL] = {"set", "sysctl"},
	[FIX_ROUTE] = {"delete", "route"},
	[FIX_RULE_ADD] = {"add", "rule"},
	[FIX_RULE_DEL] = {"delete", "rule"},
	[FIX_CONNTRACK] = {"delete", "conntrack"},
	[FIX_ACCEPT] = {"add", "nft"},
	[FIX_NAT_TABLE] = {"delete", "nft"},
	[FIX_APPLY] = {"set", "configuration"},
};

const char *fix_action_str(enum fix_kind kind)
{
	return words[kind].action;
}

const char *fix_kind_str(enum fix_kind kind)
{
	return words[kind].kind;
}

static void name_sysctl(const struct fix_step *step, char *buf)
{
	int n = snprintf(buf, FIX_TEXT_LEN, "sysctl net.");

	snprintf(buf + n, FIX_TEXT_LEN - (size_t)n, "%s", step->sysctl.key);
	for (char *c = buf + n; *c; c++)
		if (*c == '/' || *c == '.')
			*c = (char)(*c == '/' ? '.' : '/');
}

static void name_accept(const struct fix_step *step, char *buf)
{
	const struct fix_accept *a = &step->accept;
	snprintf(
		buf, FIX_TEXT_LEN, "chain %s %s %s", nft_family_str(a->family), a->table, a->chain);
}

const char *fix_name(const struct fix_step *step, char buf[static FIX_TEXT_LEN])
{
	char text[RULE_STRLEN];

	switch (step->kind) {
	case FIX_SYSCTL:
		name_sysctl(step, buf);
		break;
	case FIX_ROUTE:
		snprintf(buf, FIX_TEXT_LEN, "route %s", prefix_str(&step->route.route.dst, text));
		break;
	case FIX_RULE_ADD:
		snprintf(buf, FIX_TEXT_LEN, "rule %s", rule_str(&step->rule, text, sizeof(text)));
		break;
	case FIX_RULE_DEL:
		snprintf(buf, FIX_TEXT_LEN, "rule %s", step->rule_text);
		break;
	case FIX_CONNTRACK:
		snprintf(buf, FIX_TEXT_LEN, "connections to %s", prefix_str(&step->to, text));
		break;
	case FIX_ACCEPT:
		name_accept(step, buf);
		break;
	case FIX_NAT_TABLE:
		snprintf(buf, FIX_TEXT_LEN, "table inet nat");
		break;
	default:
		snprintf(buf, FIX_TEXT_LEN, "configuration of meshgw");
	}
	return buf;
}

static void detail_sysctl(const struct fix_step *step, char *buf)
{
	if (step->sysctl.from < 0)
		snprintf(buf, FIX_TEXT_LEN, "%d", step->sysctl.to);
	else
		snprintf(buf, FIX_TEXT_LEN, "%d -> %d", step->sysctl.from, step->sysctl.to);
}

static void detail_route(const struct fix_step *step, char *buf)
{
	const struct fix_route *r = &step->route;
	int n = snprintf(
		buf, FIX_TEXT_LEN, "%s%s%s", r->type, r->interface[0] ? " dev " : "", r->interface);
	snprintf(buf + n, FIX_TEXT_LEN - (size_t)n,
		" table %" PRIu32 " metric %" PRIu32 " proto %u", r->route.table, r->route.metric,
		r->route.protocol);
}

static void detail_accept(const struct fix_step *step, char *buf)
{
	const struct fix_accept *a = &step->accept;
	char accept[NFT_ACCEPT_STRLEN];

	nft_accept_str(&a->accept, accept);
	if (a->handle)
		snprintf(buf, FIX_TEXT_LEN, "%s (in front of the rule with handle %" PRIu64 ")",
			accept, a->handle);
	else
		snprintf(buf, FIX_TEXT_LEN, "%s (behind all rules)", accept);
}

const char *fix_detail(const struct fix_step *step, char buf[static FIX_TEXT_LEN])
{
	char from[PREFIX_STRLEN];

	switch (step->kind) {
	case FIX_SYSCTL:
		detail_sysctl(step, buf);
		break;
	case FIX_ROUTE:
		detail_route(step, buf);
		break;
	case FIX_CONNTRACK:
		snprintf(buf, FIX_TEXT_LEN, "from %s, those without an answer",
			prefix_str(&step->from, from));
		break;
	case FIX_ACCEPT:
		detail_accept(step, buf);
		break;
	case FIX_NAT_TABLE:
		snprintf(buf, FIX_TEXT_LEN, "nothing else is in it: %s", step->nat);
		break;
	case FIX_APPLY:
		snprintf(buf, FIX_TEXT_LEN, "applied again");
		break;
	default:
		snprintf(buf, FIX_TEXT_LEN, "%s",
			step->kind == FIX_RULE_ADD ? "in front of all others"
						   : "refuses by itself");
	}
	return buf;
}
