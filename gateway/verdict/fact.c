/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/fact.h"
#include "lib/json.h"
#include "lib/own.h"
#include "verdict/fact_table.h"
#include <errno.h>
#include <string.h>

void fact_init(struct fact *f, enum fact_kind kind)
{
	*f = (struct fact){.kind = kind};
	fields_init(fact_shapes[kind].fields, fact_base(f));
}

int fact_to_json(const struct fact *f, sd_json_variant **out)
{
	autojson sd_json_variant *v = nullptr;
	int r = sd_json_variant_set_field_string(&v, "kind", fact_kind_str(f->kind));

	if (r >= 0)
		r = fields_to_json(fact_shapes[f->kind].fields, fact_base_const(f), &v);
	if (r < 0)
		return r;
	*out = TAKE_PTR(v);
	return 0;
}

/* FACT_KINDS when there is none of this name. */
static enum fact_kind kind_read(sd_json_variant *v)
{
	sd_json_variant *name = sd_json_variant_by_key(v, "kind");
	enum fact_kind kind = 0;

	if (!name || !sd_json_variant_is_string(name))
		return FACT_KINDS;
	while (kind < FACT_KINDS && strcmp(fact_kind_str(kind), sd_json_variant_string(name)) != 0)
		kind++;
	return kind;
}

int fact_from_json(sd_json_variant *v, struct fact *out, struct err *err)
{
	struct fact f;
	enum fact_kind kind = kind_read(v);

	if (kind == FACT_KINDS)
		return err_set(err, EINVAL, "a fact of no known kind");
	fact_init(&f, kind);
	int r = fields_from_json(fact_shapes[kind].fields, v, fact_base(&f), err);
	if (r < 0)
		return err_ctx(err, "%s", fact_kind_str(kind));
	*out = f;
	return 0;
}

/* Documentation/networking/nf_conntrack-sysctl.rst: these have timeouts of their own. */
bool conntrack_is_over(const char *state)
{
	static const char *const over[] = {
		"FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE"};

	for (size_t i = 0; i < sizeof(over) / sizeof(over[0]); i++)
		if (!strcmp(state, over[i]))
			return true;
	return false;
}
