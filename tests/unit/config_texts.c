/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config_texts.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

struct config *config_text(const char *text)
{
	struct config *config = nullptr;
	struct config_diags diags = {};
	int r = config_parse(text, strlen(text), &config, &diags);

	for (size_t i = 0; i < diags.n; i++)
		print_error("%s\n%u:%u: %s: %s\n", text, diags.list[i].mark.line,
			diags.list[i].mark.column, diags.list[i].path, diags.list[i].message);
	assert_int_equal(r, 0);
	assert_int_equal(diags.n, 0);
	config_diags_clear(&diags);
	return config;
}

void config_texts_differ(const char *const *texts, size_t n)
{
	struct config **configs = xcalloc(n, sizeof(*configs));

	for (size_t i = 0; i < n; i++)
		configs[i] = config_text(texts[i]);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			if (config_equal(configs[i], configs[j]) != (i == j))
				fail_msg("%zu and %zu:\n%s%s", i, j, texts[i], texts[j]);
	for (size_t i = 0; i < n; i++)
		config_free(configs[i]);
	free(configs);
}
