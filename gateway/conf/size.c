/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/size.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

constexpr uint64_t SIZE_MAX_BYTES = 1ULL << 40;

/* The largest last. */
static const struct {
	const char *name;
	unsigned shift;
} units[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
constexpr size_t N_UNITS = sizeof(units) / sizeof(units[0]);

int size_parse(const char *text, uint64_t *bytes)
{
	size_t digits = strspn(text, "0123456789"), unit = 0;
	uint64_t number = 0;

	while (unit < N_UNITS && strcmp(units[unit].name, text + digits) != 0)
		unit++;
	if (digits == 0 || (text[0] == '0' && digits > 1) || unit == N_UNITS)
		return -EINVAL;
	for (size_t i = 0; i < digits; i++) {
		number = number * 10 + (uint64_t)(text[i] - '0');
		if (number > SIZE_MAX_BYTES >> units[unit].shift)
			return -EINVAL;
	}
	*bytes = number << units[unit].shift;
	return 0;
}

const char *size_str(uint64_t bytes, char *buf)
{
	size_t i = bytes ? N_UNITS - 1 : 0;

	while (i > 0 && bytes & ((1ULL << units[i].shift) - 1))
		i--;
	snprintf(buf, SIZE_STRLEN, "%llu%s", (unsigned long long)(bytes >> units[i].shift),
		units[i].name);
	return buf;
}
