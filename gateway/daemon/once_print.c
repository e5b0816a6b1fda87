/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/once_int.h"
#include "lib/json.h"
#include <stdlib.h>

int once_print(sd_json_variant *v, int status)
{
	if (sd_json_variant_dump(v, SD_JSON_FORMAT_NEWLINE, stdout, nullptr) < 0)
		return 1;
	return status;
}

int once_print_error(const char *id, sd_json_variant *parameters)
{
	autojson sd_json_variant *v = nullptr, *none = nullptr;
	int r = sd_json_variant_new_object(&none, nullptr, 0);
	if (r >= 0)
		r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_STRING("error", id),
			SD_JSON_BUILD_PAIR_VARIANT("parameters", parameters ? parameters : none));
	if (r < 0)
		abort();
	return once_print(v, 1);
}

int once_print_failure(const char *id, const struct err *err)
{
	autojson sd_json_variant *parameters = nullptr;
	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("message", err->msg)) < 0)
		abort();
	return once_print_error(id, parameters);
}
