/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/reply.h"
#include <stdlib.h>

static sd_json_variant *empty_array(void)
{
	sd_json_variant *v = nullptr;
	if (sd_json_variant_new_array(&v, nullptr, 0) < 0)
		abort();
	return v;
}

sd_json_variant *reply_operations(const struct ops *ops)
{
	sd_json_variant *v = empty_array();
	for (size_t i = 0; i < ops->n; i++) {
		const struct op *op = &ops->list[i];
		char name[OP_NAME_LEN], detail[OP_NAME_LEN];
		if (sd_json_variant_append_arraybo(&v,
			    SD_JSON_BUILD_PAIR_STRING("action", op_action_str(op->action)),
			    SD_JSON_BUILD_PAIR_STRING("kind", op_kind_str(op->kind)),
			    SD_JSON_BUILD_PAIR_STRING("name", op_name(op, name)),
			    SD_JSON_BUILD_PAIR_STRING("detail", op_detail(op, detail))) < 0)
			abort();
	}
	return v;
}

sd_json_variant *reply_invalid(const struct config_diags *diags, const char *name)
{
	autojson sd_json_variant *v = empty_array();
	sd_json_variant *parameters = nullptr;
	for (size_t i = 0; i < diags->n; i++) {
		const struct config_diag *d = &diags->list[i];
		if (sd_json_variant_append_arraybo(&v, SD_JSON_BUILD_PAIR_STRING("file", name),
			    SD_JSON_BUILD_PAIR_UNSIGNED("line", d->mark.line),
			    SD_JSON_BUILD_PAIR_UNSIGNED("column", d->mark.column),
			    SD_JSON_BUILD_PAIR_STRING("path", d->path),
			    SD_JSON_BUILD_PAIR_STRING("message", d->message)) < 0)
			abort();
	}
	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_VARIANT("diagnostics", v),
		    SD_JSON_BUILD_PAIR_CONDITION(diags->total > diags->n, "total",
			    SD_JSON_BUILD_UNSIGNED(diags->total))) < 0)
		abort();
	return parameters;
}
