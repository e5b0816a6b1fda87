/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnose/told.h"
#include <errno.h>

static_assert(FACT_KINDS <= 32);

static int read_one(sd_json_variant *v, uint32_t kinds, struct evidence *out, struct err *err)
{
	struct fact fact;
	int r = fact_from_json(v, &fact, err);

	if (r < 0)
		return r;
	if (!(kinds & 1U << fact.kind))
		return err_set(
			err, EBADMSG, "a fact of kind %s, unasked for", fact_kind_str(fact.kind));
	*evidence_add(out, fact.kind) = fact;
	return 0;
}

int told_read(sd_json_variant *list, uint32_t kinds, struct evidence *out, struct err *err)
{
	if (!sd_json_variant_is_array(list) || sd_json_variant_elements(list) > TOLD_MAX)
		return err_set(err, EBADMSG, "no list of facts, or too long a one");
	for (size_t i = 0; i < sd_json_variant_elements(list); i++) {
		int r = read_one(sd_json_variant_by_index(list, i), kinds, out, err);
		if (r < 0)
			return r;
	}
	return 0;
}
