/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/part_equal.h"
#include <string.h>

bool text_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool texts_equal(const struct config_text *a, size_t n_a, const struct config_text *b, size_t n_b)
{
	for (size_t i = 0; i < n_a && i < n_b; i++)
		if (!text_equal(a[i].text, b[i].text))
			return false;
	return n_a == n_b;
}

bool sources_equal(
	const struct config_source *a, size_t n_a, const struct config_source *b, size_t n_b)
{
	for (size_t i = 0; i < n_a && i < n_b; i++)
		if (a[i].class_bit != b[i].class_bit || prefix_cmp(&a[i].prefix, &b[i].prefix) != 0)
			return false;
	return n_a == n_b;
}

bool listens_equal(
	const struct config_listen *a, size_t n_a, const struct config_listen *b, size_t n_b)
{
	for (size_t i = 0; i < n_a && i < n_b; i++)
		if (a[i].port != b[i].port || addr_cmp(&a[i].address, &b[i].address) != 0 ||
			!text_equal(a[i].name, b[i].name))
			return false;
	return n_a == n_b;
}
