/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/duration.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

constexpr uint64_t DURATION_MAX_US = 100ULL * 366 * 24 * 3600 * USEC_PER_S;

/* The largest last. */
static const struct {
	const char *name;
	uint64_t us;
} units[] = {
	{"ms", USEC_PER_MS},
	{"s", USEC_PER_S},
	{"min", 60 * USEC_PER_S},
	{"h", 3600 * USEC_PER_S},
};
constexpr size_t N_UNITS = sizeof(units) / sizeof(units[0]);

/* 0: there is no such unit. */
static uint64_t unit_us(const char *name)
{
	if (name[0] == '\0')
		return USEC_PER_S;
	for (size_t i = 0; i < N_UNITS; i++)
		if (strcmp(units[i].name, name) == 0)
			return units[i].us;
	return 0;
}

int duration_parse(const char *text, uint64_t *us)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t unit = unit_us(text + digits), number = 0;

	if (digits == 0 || (text[0] == '0' && digits > 1) || unit == 0)
		return -EINVAL;
	for (size_t i = 0; i < digits; i++) {
		number = number * 10 + (uint64_t)(text[i] - '0');
		if (number > DURATION_MAX_US / unit)
			return -ERANGE;
	}
	*us = number * unit;
	return 0;
}

const char *duration_str(uint64_t us, char *buf)
{
	size_t i = N_UNITS - 1;

	if (us == 0)
		i = 1; /* "0s" */
	while (i > 0 && us % units[i].us != 0)
		i--;
	snprintf(buf, DURATION_STRLEN, "%llu%s", (unsigned long long)(us / units[i].us),
		units[i].name);
	return buf;
}
