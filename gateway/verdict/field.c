/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/field.h"
#include "lib/json.h"
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *member(const struct field *f, void *base)
{
	return (char *)base + f->offset;
}

static const void *member_const(const struct field *f, const void *base)
{
	return (const char *)base + f->offset;
}

static uint64_t load_unsigned(const struct field *f, const void *base)
{
	const void *p = member_const(f, base);
	uint64_t value = 0;

	if (f->size == sizeof(uint8_t)) {
		value = *(const uint8_t *)p;
	} else if (f->size == sizeof(uint16_t)) {
		uint16_t narrow;
		memcpy(&narrow, p, sizeof(narrow));
		value = narrow;
	} else if (f->size == sizeof(uint32_t)) {
		uint32_t narrow;
		memcpy(&narrow, p, sizeof(narrow));
		value = narrow;
	} else {
		assert(f->size == sizeof(value));
		memcpy(&value, p, sizeof(value));
	}
	return value;
}

/* false when it does not fit. */
static bool store_unsigned(const struct field *f, uint64_t value, void *base)
{
	uint8_t u8 = (uint8_t)value;
	uint16_t u16 = (uint16_t)value;
	uint32_t u32 = (uint32_t)value;
	const void *from = f->size == 1   ? (const void *)&u8
			   : f->size == 2 ? (const void *)&u16
			   : f->size == 4 ? (const void *)&u32
					  : (const void *)&value;

	memcpy(member(f, base), from, f->size);
	return load_unsigned(f, base) == value;
}

static int64_t load_int(const struct field *f, const void *base)
{
	int64_t value;

	assert(f->size == sizeof(value));
	memcpy(&value, member_const(f, base), sizeof(value));
	return value;
}

static void store_int(const struct field *f, int64_t value, void *base)
{
	assert(f->size == sizeof(value));
	memcpy(member(f, base), &value, sizeof(value));
}

static const char *named_str(const struct field *f, const void *base)
{
	uint64_t value = load_unsigned(f, base);

	return value < f->n_names ? f->names[value] : nullptr;
}

void fields_init(const struct field *table, void *base)
{
	for (const struct field *f = table; f->name; f++) {
		memset(member(f, base), 0, f->size);
		if (f->untold)
			store_int(f, -1, base);
	}
}

const struct field *field_find(const struct field *table, const char *name)
{
	for (const struct field *f = table; f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	return nullptr;
}

const char *field_str(const struct field *f, const void *base, char buf[static FIELD_STRLEN])
{
	const void *p = member_const(f, base);

	switch (f->type) {
	case FIELD_BOOL:
		return *(const bool *)p ? "yes" : "no";
	case FIELD_INT:
		if (f->untold && load_int(f, base) == -1)
			return nullptr;
		snprintf(buf, FIELD_STRLEN, "%lld", (long long)load_int(f, base));
		return buf;
	case FIELD_UINT:
		snprintf(buf, FIELD_STRLEN, "%llu", (unsigned long long)load_unsigned(f, base));
		return buf;
	case FIELD_NAMED:
		return named_str(f, base);
	case FIELD_TEXT:
		snprintf(buf, FIELD_STRLEN, "%.*s", (int)f->size, (const char *)p);
		return buf[0] ? buf : nullptr;
	case FIELD_ADDR:
		return ((const struct addr *)p)->family == AF_UNSPEC ? nullptr : addr_str(p, buf);
	case FIELD_PREFIX:
		return ((const struct prefix *)p)->addr.family == AF_UNSPEC ? nullptr
									    : prefix_str(p, buf);
	}
	return nullptr;
}

/* Length of the UTF-8 sequence at text (RFC 3629 section 4), 0 when there is none. */
static size_t utf8_valid(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t len = s[0] < 0x80   ? 1
		     : s[0] < 0xc2 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf5 ? 4
				   : 0;

	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f))
		return 0;
	if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

static void utf8_mend(char *text)
{
	while (*text) {
		size_t len = utf8_valid(text);
		if (!len)
			*text = '?';
		text += len ? len : 1;
	}
}

/* *out stays nullptr for what is not told. */
static int value_to_json(const struct field *f, const void *base, sd_json_variant **out)
{
	char text[FIELD_STRLEN];
	const char *shown = field_str(f, base, text);

	if (!shown)
		return f->type == FIELD_NAMED ? -EINVAL : 0;
	switch (f->type) {
	case FIELD_BOOL:
		return sd_json_variant_new_boolean(out, *(const bool *)member_const(f, base));
	case FIELD_INT:
		return sd_json_variant_new_integer(out, load_int(f, base));
	case FIELD_UINT:
		return sd_json_variant_new_unsigned(out, load_unsigned(f, base));
	case FIELD_TEXT:
		utf8_mend(text);
		[[fallthrough]];
	case FIELD_NAMED:
	case FIELD_ADDR:
	case FIELD_PREFIX:
		return sd_json_variant_new_string(out, shown);
	}
	return -EINVAL;
}

int fields_to_json(const struct field *table, const void *base, sd_json_variant **v)
{
	for (const struct field *f = table; f->name; f++) {
		autojson sd_json_variant *value = nullptr;
		int r = value_to_json(f, base, &value);
		if (r >= 0 && value)
			r = sd_json_variant_set_field(v, f->name, value);
		if (r < 0)
			return r;
	}
	return 0;
}

/* As addr_parse(), and takes any address that a packet can carry, IPv4-mapped ones too. */
static bool addr_read(const char *text, struct addr *out)
{
	*out = (struct addr){.family = strchr(text, ':') ? AF_INET6 : AF_INET};
	return inet_pton(out->family, text, out->b) == 1;
}

static bool prefix_read(const char *text, struct prefix *out)
{
	char host[ADDR_STRLEN], again[PREFIX_STRLEN];
	const char *slash = strchr(text, '/');

	if (!slash || (size_t)(slash - text) >= sizeof(host) || slash[1] < '0' || slash[1] > '9')
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(slash - text), text);
	if (!addr_read(host, &out->addr))
		return false;
	unsigned long len = strtoul(slash + 1, nullptr, 10);
	if (len > addr_bits(out->addr.family))
		return false;
	out->len = (uint8_t)len;
	/* Nothing behind the length, no leading zeros, no second spelling. */
	return !strcmp(strchr(prefix_str(out, again), '/'), slash);
}

static int text_from_json(const struct field *f, const char *text, void *base, struct err *err)
{
	size_t len = strlen(text);

	if (len >= f->size)
		return err_set(
			err, E2BIG, "%s: %zu bytes, at most %zu fit", f->name, len, f->size - 1);
	memcpy(member(f, base), text, len + 1);
	return 0;
}

static int named_from_json(const struct field *f, const char *text, void *base, struct err *err)
{
	for (size_t i = 0; i < f->n_names; i++)
		if (f->names[i] && !strcmp(f->names[i], text))
			return store_unsigned(f, i, base) ? 0 : -ERANGE;
	return err_set(err, EINVAL, "%s: no such name", f->name);
}

static int number_from_json(const struct field *f, sd_json_variant *v, void *base, struct err *err)
{
	if (f->type == FIELD_INT && sd_json_variant_is_integer(v)) {
		store_int(f, sd_json_variant_integer(v), base);
		return 0;
	}
	if (f->type == FIELD_UINT && sd_json_variant_is_unsigned(v) &&
		store_unsigned(f, sd_json_variant_unsigned(v), base))
		return 0;
	return err_set(err, EINVAL, "%s: no number, or too large", f->name);
}

static int string_from_json(const struct field *f, sd_json_variant *v, void *base, struct err *err)
{
	if (!sd_json_variant_is_string(v))
		return err_set(err, EINVAL, "%s: no text", f->name);
	const char *text = sd_json_variant_string(v);
	if (f->type == FIELD_TEXT)
		return text_from_json(f, text, base, err);
	if (f->type == FIELD_NAMED)
		return named_from_json(f, text, base, err);
	bool good = f->type == FIELD_ADDR ? addr_read(text, member(f, base))
					  : prefix_read(text, member(f, base));
	return good ? 0 : err_set(err, EINVAL, "%s: no address", f->name);
}

static int value_from_json(const struct field *f, sd_json_variant *v, void *base, struct err *err)
{
	if (f->type == FIELD_INT || f->type == FIELD_UINT)
		return number_from_json(f, v, base, err);
	if (f->type != FIELD_BOOL)
		return string_from_json(f, v, base, err);
	if (!sd_json_variant_is_boolean(v))
		return err_set(err, EINVAL, "%s: neither true nor false", f->name);
	*(bool *)member(f, base) = sd_json_variant_boolean(v);
	return 0;
}

int fields_from_json(const struct field *table, sd_json_variant *v, void *base, struct err *err)
{
	if (!sd_json_variant_is_object(v))
		return err_set(err, EINVAL, "no object");
	for (const struct field *f = table; f->name; f++) {
		sd_json_variant *value = sd_json_variant_by_key(v, f->name);
		int r = 0;
		if (value)
			r = value_from_json(f, value, base, err);
		else if (f->type == FIELD_NAMED)
			r = err_set(err, EINVAL, "%s: missing", f->name);
		if (r < 0)
			return r;
	}
	return 0;
}
