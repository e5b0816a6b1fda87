/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/reply.h"
#include "daemon/json_make.h"
#include <stdlib.h>

/* One allocation for the array, however long: appending one by one would copy it each time. */
static sd_json_variant *reply_changes(const struct config_changes *changes)
{
	sd_json_variant **list = xcalloc(changes->n, sizeof(*list)), *v = nullptr;
	for (size_t i = 0; i < changes->n; i++) {
		const struct config_change *c = &changes->list[i];
		if (sd_json_buildo(&list[i],
			    SD_JSON_BUILD_PAIR_STRING("action", c->added ? "add" : "delete"),
			    SD_JSON_BUILD_PAIR_STRING("kind", config_change_kind_str(c->kind)),
			    SD_JSON_BUILD_PAIR_STRING("text", c->text)) < 0)
			abort();
	}
	if (sd_json_variant_new_array(&v, list, changes->n) < 0)
		abort();
	for (size_t i = 0; i < changes->n; i++)
		sd_json_variant_unref(list[i]);
	free(list);
	return v;
}

sd_json_variant *reply_operations(const struct ops *ops)
{
	autojson sd_json_variant *changes = reply_changes(&ops->changes);
	sd_json_variant *v = json_array();
	for (size_t i = 0; i < ops->n; i++) {
		const struct op *op = &ops->list[i];
		char name[OP_NAME_LEN], detail[OP_NAME_LEN];
		if (sd_json_variant_append_arraybo(&v,
			    SD_JSON_BUILD_PAIR_STRING("action", op_action_str(op->action)),
			    SD_JSON_BUILD_PAIR_STRING("kind", op_kind_str(op->kind)),
			    SD_JSON_BUILD_PAIR_STRING("name", op_name(op, name)),
			    SD_JSON_BUILD_PAIR_STRING("detail", op_detail(op, detail)),
			    SD_JSON_BUILD_PAIR_CONDITION(
				    ops->changes.n &&
					    (op->kind == OP_NFT || op->kind == OP_PROOF ||
						    op->kind == OP_WATCH || op->kind == OP_BRIDGE ||
						    op->kind == OP_TUNNEL),
				    "changes", SD_JSON_BUILD_VARIANT(changes))) < 0)
			abort();
	}
	return v;
}

static const char *standing_cause(const struct conditions *all, enum condition_code code)
{
	for (size_t i = 0; i < all->n; i++)
		if (condition_follows(code, all->list[i].code))
			return condition_code_str(all->list[i].code);
	return nullptr;
}

sd_json_variant *reply_conditions(const struct conditions *all)
{
	sd_json_variant *v = json_array();
	for (size_t i = 0; i < all->n; i++) {
		const struct condition *c = &all->list[i];
		const char *severity = condition_severity_str(condition_severity(c->code));
		const char *remedy = condition_remedy(c->code, all->own_tunnel);
		const char *cause = standing_cause(all, c->code);
		if (sd_json_variant_append_arraybo(&v,
			    SD_JSON_BUILD_PAIR_STRING("code", condition_code_str(c->code)),
			    SD_JSON_BUILD_PAIR_STRING("severity", severity),
			    SD_JSON_BUILD_PAIR_STRING("subject", c->subject),
			    SD_JSON_BUILD_PAIR_STRING("message", c->message),
			    SD_JSON_BUILD_PAIR_UNSIGNED("since", c->since_us),
			    SD_JSON_BUILD_PAIR_CONDITION(
				    remedy[0] != 0, "remedy", SD_JSON_BUILD_STRING(remedy)),
			    SD_JSON_BUILD_PAIR_CONDITION(cause != nullptr, "dependsOn",
				    SD_JSON_BUILD_STRING(cause))) < 0)
			abort();
	}
	return v;
}

sd_json_variant *reply_invalid(const struct config_diags *diags, const char *name)
{
	autojson sd_json_variant *v = json_array();
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
