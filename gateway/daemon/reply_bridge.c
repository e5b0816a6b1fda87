/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/reply_bridge.h"
#include "lib/json.h"
#include "lib/xmalloc.h"
#include <string.h>

static sd_json_variant *listeners(const struct bridge_listeners *all)
{
	sd_json_variant *v = nullptr;
	char address[ADDR_STRLEN];

	if (sd_json_variant_new_array(&v, nullptr, 0) < 0)
		out_of_memory();
	for (size_t i = 0; i < all->n; i++) {
		const struct bridge_listener *l = &all->list[i];
		if (sd_json_variant_append_arraybo(&v,
			    SD_JSON_BUILD_PAIR_STRING("address", addr_str(&l->address, address)),
			    SD_JSON_BUILD_PAIR_UNSIGNED("port", l->port),
			    SD_JSON_BUILD_PAIR_CONDITION(l->error != 0, "reason",
				    SD_JSON_BUILD_STRING(strerror(l->error)))) < 0)
			out_of_memory();
	}
	return v;
}

sd_json_variant *reply_bridge(const struct bridge *b)
{
	struct bridge_view view = bridge_view(b);
	sd_json_variant *v = nullptr;

	if (!view.config)
		return nullptr;
	autojson sd_json_variant *list = listeners(view.listeners);
	if (sd_json_buildo(&v, SD_JSON_BUILD_PAIR_BOOLEAN("attached", view.attached),
		    SD_JSON_BUILD_PAIR_UNSIGNED("generation", view.generation),
		    SD_JSON_BUILD_PAIR_CONDITION(view.served != nullptr, "served",
			    SD_JSON_BUILD_UNSIGNED(view.served ? *view.served : 0)),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    view.refusal != nullptr, "refusal", SD_JSON_BUILD_STRING(view.refusal)),
		    SD_JSON_BUILD_PAIR_UNSIGNED("routes", view.config->bridge.n_routes),
		    SD_JSON_BUILD_PAIR_VARIANT("listeners", list)) < 0)
		out_of_memory();
	return v;
}
