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

static const char *config_value(
	const struct subject *s, const char *name, char buf[static FIELD_STRLEN])
{
	size_t at = 0;
	const struct fact *config = evidence_next(s->evidence, FACT_CONFIG, &at);
	bool range = !strcmp(name, "range");
	const struct prefix *p = !config ? nullptr
				 : range ? &config->config.range
					 : &config->config.network;

	if (p && p->addr.family != AF_UNSPEC)
		return prefix_str(p, buf);
	/* Nobody told the range: the caller alone is better than nothing. */
	return range ? flow_value(&s->evidence->flow, "client", buf) : nullptr;
}

static const char *derived_value(
	const struct subject *s, const char *name, char buf[static FIELD_STRLEN])
{
	const struct verdict *v = s->verdict;

	if (!strcmp(name, "range") || !strcmp(name, "network"))
		return config_value(s, name, buf);
	if (!strcmp(name, "mesh"))
		return s->evidence->mesh;
	if (!strcmp(name, "lan"))
		return s->evidence->lan;
	if (!strcmp(name, "tcp"))
		return s->evidence->flow.proto == IPPROTO_TCP ? "tcp" : nullptr;
	if (!strcmp(name, "refusingRule"))
		return refusing_rule(v, buf);
	if (!strcmp(name, "uncovered"))
		return is_default_route(v) ? config_value(s, "network", buf) : nullptr;
	if (!strcmp(name, "wanted"))
		return doubled(verdict_attribute(v, "max"), buf);
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
	const struct code_variant *variant;
	struct subject subject = {v, e};
	struct template_values values = {subject_value, &subject};
	size_t at = 0;

	*out = (struct verdict_remedy){};
	while ((variant = code_variant_next(v->code, &at)))
		if (attribute_is(v, variant->name, variant->value))
			break;
	template_text(
		variant ? variant->remedy : row->remedy, &values, out->text, sizeof(out->text));
	add_commands(v, &values, variant ? variant->commands : row->commands, out);
	out->applicable = row->fix && out->n_commands > 0;
	size_t used = strlen(out->text);
	if (v->both_covered && v->next < CODES)
		snprintf(out->text + used, sizeof(out->text) - used, " This mends %s as well.",
			code_str(v->next));
}
