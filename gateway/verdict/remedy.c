/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/code_variant.h"
#include "verdict/entry.h"
#include "verdict/remedy_value.h"
#include "verdict/template.h"
#include "verdict/verdict.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The variant whose attribute the verdict has; nullptr = none. */
static const struct code_variant *variant_of(const struct remedy_subject *s)
{
	const struct code_variant *variant;

	for (size_t at = 0; (variant = code_variant_next(s->verdict->code, &at));) {
		char buf[FIELD_STRLEN];
		const char *value = remedy_value(s, variant->name, buf);
		if (value && !strcmp(value, variant->value))
			return variant;
	}
	return nullptr;
}

static void add_commands(const struct template_values *values,
	const char *const templates[CODE_COMMANDS], struct verdict_remedy *out)
{
	for (size_t i = 0; i < CODE_COMMANDS && templates[i]; i++)
		if (template_command(templates[i], values, out->commands[out->n_commands],
			    FACT_SAYS_LEN) >= 0)
			out->n_commands++;
}

/* The route that would be deleted, and is not to be; nullptr = there is none. */
static const struct fact_lookup *kept_route(
	const struct remedy_subject *s, const char *const templates[CODE_COMMANDS])
{
	const struct fact_lookup *l = entry_blamed(s->verdict, s->evidence);
	bool deletes = templates[0] && strstr(templates[0], "{entry}");

	if (!l || !deletes || l->match.addr.family == AF_UNSPEC || entry_may_go(l, s->evidence))
		return nullptr;
	return l;
}

void verdict_remedy(const struct verdict *v, const struct evidence *e, struct verdict_remedy *out)
{
	const struct code_row *row = code_row(v->code);
	struct remedy_subject subject = {v, e};
	struct template_values values = {remedy_value, &subject};
	const struct code_variant *variant = variant_of(&subject);

	const char *const *commands = variant ? variant->commands : row->commands;

	*out = (struct verdict_remedy){};
	const struct fact_lookup *kept = kept_route(&subject, commands);
	const char *keeper = kept ? entry_keeper(kept->protocol) : nullptr;
	if (keeper)
		snprintf(out->text, sizeof(out->text), "%c%s.", toupper(keeper[0]), keeper + 1);
	else
		template_text(variant ? variant->remedy : row->remedy, &values, out->text,
			sizeof(out->text));
	add_commands(&values, commands, out);
	out->applicable = row->fix && out->n_commands > 0 && !kept && !flow_is_outgoing(&e->flow);
	size_t used = strlen(out->text);
	if (v->both_covered && v->next < CODES)
		snprintf(out->text + used, sizeof(out->text) - used, " This mends %s as well.",
			code_str(v->next));
}
