/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/decide_rule.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void finding_cite(struct finding *f, const struct fact *fact)
{
	if (!fact || f->n_cited == VERDICT_EVIDENCE)
		return;
	for (size_t i = 0; i < f->n_cited; i++)
		if (f->cited[i] == fact)
			return;
	f->cited[f->n_cited++] = fact;
}

void finding_set(struct finding *f, const char *name, const char *fmt, ...)
{
	if (f->n_attributes == VERDICT_ATTRIBUTES)
		return;
	for (size_t i = 0; i < f->n_attributes; i++)
		if (!strcmp(f->attributes[i].name, name))
			return;
	struct verdict_attribute *a = &f->attributes[f->n_attributes++];
	va_list ap;
	snprintf(a->name, sizeof(a->name), "%s", name);
	va_start(ap, fmt);
	vsnprintf(a->value, sizeof(a->value), fmt, ap);
	va_end(ap);
}

void finding_set_text(struct finding *f, const char *name, const char *text)
{
	if (text[0])
		finding_set(f, name, "%s", text);
}

void finding_set_number(struct finding *f, const char *name, int64_t n)
{
	if (n >= 0)
		finding_set(f, name, "%lld", (long long)n);
}

void finding_set_addr(struct finding *f, const char *name, const struct addr *a)
{
	char buf[ADDR_STRLEN];
	if (a->family != AF_UNSPEC)
		finding_set(f, name, "%s", addr_str(a, buf));
}

void finding_set_prefix(struct finding *f, const char *name, const struct prefix *p)
{
	char buf[PREFIX_STRLEN];
	if (p->addr.family != AF_UNSPEC)
		finding_set(f, name, "%s", prefix_str(p, buf));
}

void finding_may_be(struct finding *f, enum code code)
{
	for (size_t i = 0; i < f->n_candidates; i++)
		if (f->candidates[i] == code)
			return;
	if (f->n_candidates < VERDICT_CANDIDATES)
		f->candidates[f->n_candidates++] = code;
}

void finding_family(struct finding *f, size_t n, const enum code codes[])
{
	f->code = codes[0];
	f->confidence = CONFIDENCE_UNDETERMINED;
	for (size_t i = 0; i < n; i++)
		finding_may_be(f, codes[i]);
}

void finding_want(struct finding *f, enum fact_observer observer)
{
	for (size_t i = 0; i < f->n_wanted; i++)
		if (f->wanted[i] == observer)
			return;
	f->wanted[f->n_wanted++] = observer;
}

void finding_event(struct finding *f, const struct fact *fact, enum fact_origin origin)
{
	finding_cite(f, fact);
	f->event = true;
	f->origin = origin;
}
