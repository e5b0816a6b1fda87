/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/code_variant.h"
#include "verdict/flow_value.h"
#include "verdict/template.h"
#include "verdict/verdict.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct subject {
	const struct verdict *verdict;
	const struct evidence *evidence;
};

static bool attribute_is(const struct verdict *v, const char *name, const char *value)
{
	const char *is = verdict_attribute(v, name);

	return is && !strcmp(is, value);
}

static bool is_default_route(const struct verdict *v)
{
	const char *prefix = verdict_attribute(v, "prefix");
	const char *slash = prefix ? strchr(prefix, '/') : nullptr;

	return slash && !strcmp(slash, "/0");
}

/* The priority of the policy rule to blame ("100: from all unreachable") if it is one that refuses.
 * One that looks up a table is never to be deleted: it may be that of main. */
static const char *refusing_rule(const struct verdict *v, char buf[static FIELD_STRLEN])
{
	const char *rule = verdict_attribute(v, "rule");
	size_t digits = rule ? strspn(rule, "0123456789") : 0;

	if (!digits || rule[digits] != ':' || strstr(rule, "lookup") ||
		(!strstr(rule, "unreachable") && !strstr(rule, "blackhole") &&
			!strstr(rule, "prohibit")))
		return nullptr;
	snprintf(buf, FIELD_STRLEN, "%.*s", (int)digits, rule);
	return buf;
}

static const char *doubled(const char *limit, char buf[static FIELD_STRLEN])
{
	long long value = limit ? strtoll(limit, nullptr, 10) : 0;

	if (value <= 0 || value > 1LL << 30)
		return nullptr;
	snprintf(buf, FIELD_STRLEN, "%lld", 2 * value);
	return buf;
}

static const struct fact_config *config_of(const struct subject *s)
{
	size_t at = 0;
	const struct fact *f = evidence_next(s->evidence, FACT_CONFIG, &at);

	return f ? &f->config : nullptr;
}

static const struct fact_link *link_of(const struct subject *s, enum fact_role role)
{
	const struct fact *f;

	for (size_t at = 0; (f = evidence_next(s->evidence, FACT_LINK, &at));)
		if (f->link.role == role)
			return &f->link;
	return nullptr;
}

/* Where the configuration tells nothing, the flow alone is better than nothing. */
static const char *prefix_value(const struct prefix *p, const struct subject *s,
	const char *otherwise, char buf[static FIELD_STRLEN])
{
	if (p && p->addr.family != AF_UNSPEC)
		return prefix_str(p, buf);
	return flow_value(&s->evidence->flow, otherwise, buf);
}

static const char *network_value(const struct subject *s, char buf[static FIELD_STRLEN])
{
	const struct fact_config *config = config_of(s);

	return prefix_value(config ? &config->network : nullptr, s, "target", buf);
}

static const char *range_value(const struct subject *s, char buf[static FIELD_STRLEN])
{
	const struct fact_config *config = config_of(s);

	return prefix_value(config ? &config->range : nullptr, s, "client", buf);
}

static const char *mesh_value(const struct subject *s, char[static FIELD_STRLEN])
{
	const struct fact_link *link = link_of(s, ROLE_MESH);

	return s->evidence->mesh[0] || !link ? s->evidence->mesh : link->interface;
}

static const char *lan_value(const struct subject *s, char[static FIELD_STRLEN])
{
	const struct fact_link *lan = link_of(s, ROLE_LAN);
	const struct fact_link *link = lan ? lan : link_of(s, ROLE_EGRESS);

	return s->evidence->lan[0] || !link ? s->evidence->lan : link->interface;
}

static const char *tcp_value(const struct subject *s, char[static FIELD_STRLEN])
{
	return s->evidence->flow.proto == IPPROTO_TCP ? "tcp" : nullptr;
}

static const char *refusing_rule_value(const struct subject *s, char buf[static FIELD_STRLEN])
{
	return refusing_rule(s->verdict, buf);
}

/* The network, when only a default route leads there. */
static const char *uncovered_value(const struct subject *s, char buf[static FIELD_STRLEN])
{
	return is_default_route(s->verdict) ? network_value(s, buf) : nullptr;
}

static const char *wanted_value(const struct subject *s, char buf[static FIELD_STRLEN])
{
	return doubled(verdict_attribute(s->verdict, "max"), buf);
}

static const char *configuration_value(const struct subject *s, char[static FIELD_STRLEN])
{
	const struct fact_config *config = config_of(s);

	return config && config->up ? "up" : "none";
}

/* Is the chain to blame one of iptables-nft, by its table's name? A table of the same name that was
 * made by nft has base chains in lower case, by custom. */
static const char *iptables_value(const struct subject *s, char[static FIELD_STRLEN])
{
	static const char *const tables[] = {"filter", "mangle", "raw", "nat", "security"};
	static const char *const custom[] = {
		"input", "forward", "output", "prerouting", "postrouting"};
	const struct verdict *v = s->verdict;
	const char *table = verdict_attribute(v, "table"), *chain = verdict_attribute(v, "chain");
	bool known = false;

	for (size_t i = 0; table && i < sizeof(tables) / sizeof(tables[0]); i++)
		known |= !strcmp(table, tables[i]);
	for (size_t i = 0; chain && i < sizeof(custom) / sizeof(custom[0]); i++)
		known &= strcmp(chain, custom[i]) != 0;
	bool family = attribute_is(v, "family", "ip") || attribute_is(v, "family", "ip6");
	return known && family ? "yes" : "no";
}

static const char *mesh_link_value(const struct subject *s, char[static FIELD_STRLEN])
{
	const struct fact_link *link = link_of(s, ROLE_MESH);

	return !link ? nullptr : link->up ? "up" : "down";
}

static const char *derived_value(
	const struct subject *s, const char *name, char buf[static FIELD_STRLEN])
{
	static const struct {
		const char *name;
		const char *(*value)(const struct subject *s, char buf[static FIELD_STRLEN]);
	} derived[] = {
		{"range", range_value},
		{"network", network_value},
		{"mesh", mesh_value},
		{"lan", lan_value},
		{"tcp", tcp_value},
		{"refusingRule", refusing_rule_value},
		{"uncovered", uncovered_value},
		{"wanted", wanted_value},
		{"configuration", configuration_value},
		{"iptables", iptables_value},
		{"link", mesh_link_value},
	};

	for (size_t i = 0; i < sizeof(derived) / sizeof(derived[0]); i++)
		if (!strcmp(derived[i].name, name))
			return derived[i].value(s, buf);
	return nullptr;
}

static const char *subject_value(const void *of, const char *name, char buf[static FIELD_STRLEN])
{
	const struct subject *s = of;
	const char *value = verdict_attribute(s->verdict, name);

	if (!value || !value[0])
		value = derived_value(s, name, buf);
	if (!value || !value[0])
		value = flow_value(&s->evidence->flow, name, buf);
	return value;
}

/* The variant whose attribute the verdict has; nullptr = none. */
static const struct code_variant *variant_of(const struct subject *s)
{
	const struct code_variant *variant;

	for (size_t at = 0; (variant = code_variant_next(s->verdict->code, &at));) {
		char buf[FIELD_STRLEN];
		const char *value = subject_value(s, variant->name, buf);
		if (value && !strcmp(value, variant->value))
			return variant;
	}
	return nullptr;
}

static void add_commands(const struct verdict *v, const struct template_values *values,
	const char *const templates[CODE_COMMANDS], struct verdict_remedy *out)
{
	for (size_t i = 0; i < CODE_COMMANDS && templates[i]; i++) {
		if (strstr(templates[i], "route del") && is_default_route(v))
			continue; /* it would cut off the machine */
		if (template_command(templates[i], values, out->commands[out->n_commands],
			    FACT_SAYS_LEN) >= 0)
			out->n_commands++;
	}
}

void verdict_remedy(const struct verdict *v, const struct evidence *e, struct verdict_remedy *out)
{
	const struct code_row *row = code_row(v->code);
	struct subject subject = {v, e};
	struct template_values values = {subject_value, &subject};
	const struct code_variant *variant = variant_of(&subject);

	*out = (struct verdict_remedy){};
	template_text(
		variant ? variant->remedy : row->remedy, &values, out->text, sizeof(out->text));
	add_commands(v, &values, variant ? variant->commands : row->commands, out);
	out->applicable = row->fix && out->n_commands > 0;
	size_t used = strlen(out->text);
	if (v->both_covered && v->next < CODES)
		snprintf(out->text + used, sizeof(out->text) - used, " This mends %s as well.",
			code_str(v->next));
}
