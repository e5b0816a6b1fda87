/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/value_number.h"
#include "conf/diag.h"
#include "conf/duration.h"
#include "conf/size.h"
#include <assert.h>
#include <errno.h>
#include <string.h>

int number_parse(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t number = 0;

	assert(max <= UINT32_MAX);
	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		number = number * 10 + (unsigned)(*text - '0');
		if (number > max)
			return -EINVAL;
	}
	*out = number;
	return 0;
}

/* 0 after a mistake. */
static uint64_t read_number(struct reader *r, const yaml_node_t *node)
{
	const struct field *field = r->field;
	uint64_t number;

	if (number_parse(reader_text(node), field->max, &number) == 0 && number >= field->min)
		return number;
	MISTAKE(r, node, "\"%s\" is not a number from %llu to %llu", reader_shown(node).text,
		(unsigned long long)field->min, (unsigned long long)field->max);
	return 0;
}

void value_u8(struct reader *r, const yaml_node_t *node, void *to)
{
	*(uint8_t *)to = (uint8_t)read_number(r, node);
}

void value_u32(struct reader *r, const yaml_node_t *node, void *to)
{
	*(uint32_t *)to = (uint32_t)read_number(r, node);
}

/* In units of so many microseconds; DURATION_UNSET after a mistake. */
static uint64_t read_duration(struct reader *r, const yaml_node_t *node, uint64_t unit_us)
{
	uint64_t us, min = r->field->min * unit_us, max = r->field->max * unit_us;
	char low[DURATION_STRLEN], high[DURATION_STRLEN];

	switch (duration_parse(reader_text(node), &us)) {
	case 0:
		break;
	case -ERANGE:
		us = UINT64_MAX - UINT64_MAX % unit_us;
		break;
	default:
		MISTAKE(r, node, "\"%s\" is not a duration like 200ms, 10s, 2min or 1h",
			reader_shown(node).text);
		return DURATION_UNSET;
	}
	if (us < min || us > max)
		MISTAKE(r, node, "%s is out of bounds; from %s to %s is possible",
			reader_shown(node).text, duration_str(min, low), duration_str(max, high));
	else if (us % unit_us != 0)
		MISTAKE(r, node, "%s is not a whole number of seconds", reader_shown(node).text);
	else
		return us / unit_us;
	return DURATION_UNSET;
}

void value_seconds(struct reader *r, const yaml_node_t *node, void *to)
{
	*(uint32_t *)to = (uint32_t)read_duration(r, node, USEC_PER_S);
}

void value_milliseconds(struct reader *r, const yaml_node_t *node, void *to)
{
	*(uint32_t *)to = (uint32_t)read_duration(r, node, USEC_PER_MS);
}

void value_microseconds(struct reader *r, const yaml_node_t *node, void *to)
{
	uint64_t ms = read_duration(r, node, USEC_PER_MS);

	*(uint64_t *)to = ms == DURATION_UNSET ? DURATION_UNSET : ms * USEC_PER_MS;
}

void value_size(struct reader *r, const yaml_node_t *node, void *to)
{
	uint64_t bytes = 0, min = r->field->min, max = r->field->max;
	char low[SIZE_STRLEN], high[SIZE_STRLEN];

	if (size_parse(reader_text(node), &bytes) < 0)
		MISTAKE(r, node, "\"%s\" is not a size like 512, 64KiB, 10MiB or 1GiB",
			reader_shown(node).text);
	else if (bytes < min || bytes > max)
		MISTAKE(r, node, "%s is out of bounds; from %s to %s is possible",
			reader_shown(node).text, size_str(min, low), size_str(max, high));
	else
		*(uint64_t *)to = bytes;
}

void value_bool(struct reader *r, const yaml_node_t *node, void *to)
{
	bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

	if (plain && strcmp(reader_text(node), "true") == 0)
		*(bool *)to = true;
	else if (plain && strcmp(reader_text(node), "false") == 0)
		*(bool *)to = false;
	else
		MISTAKE(r, node, "\"%s\" is neither true nor false", reader_shown(node).text);
}
