/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/json_make.h"

sd_json_variant *json_array(void)
{
	sd_json_variant *v = nullptr;

	if (sd_json_variant_new_array(&v, nullptr, 0) < 0)
		out_of_memory();
	return v;
}

void json_append_text(sd_json_variant **array, const char *text)
{
	if (sd_json_variant_append_arrayb(array, SD_JSON_BUILD_STRING(text)) < 0)
		out_of_memory();
}

void json_append_prefix(sd_json_variant **array, const struct prefix *p)
{
	char text[PREFIX_STRLEN];

	json_append_text(array, prefix_str(p, text));
}

sd_json_variant *json_prefixes(const struct prefix *list, size_t n)
{
	sd_json_variant *v = json_array();

	for (size_t i = 0; i < n; i++)
		json_append_prefix(&v, &list[i]);
	return v;
}

sd_json_variant *json_sources(const struct config_source *list, size_t n)
{
	sd_json_variant *v = json_array();

	for (size_t i = 0; i < n; i++)
		json_append_prefix(&v, &list[i].prefix);
	return v;
}

sd_json_variant *json_secret(const char *text)
{
	sd_json_variant *v = nullptr;

	if (sd_json_variant_new_string(&v, text ? text : "") < 0)
		out_of_memory();
	sd_json_variant_sensitive(v);
	return v;
}
