/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/code.h"
#include "verdict/code_part.h"
#include <assert.h>
#include <string.h>

static const struct {
	enum code first;
	const struct code_row *rows;
} parts[] = {
	{CODE_TUNNEL_INTERFACE_MISSING, code_part_tunnel},
	{CODE_FORWARDING_DISABLED, code_part_path},
	{CODE_NOT_ALLOWED, code_part_filter},
	{CODE_LAN_INTERFACE_MISSING, code_part_link},
	{CODE_UPSTREAM_SILENT, code_part_lan},
	{CODE_SERVICE_PORT_CLOSED, code_part_service},
};

const struct code_row *code_row(enum code code)
{
	size_t part = sizeof(parts) / sizeof(parts[0]) - 1;

	assert(code < CODES);
	while (part > 0 && code < parts[part].first)
		part--;
	return &parts[part].rows[code - parts[part].first];
}

const char *code_str(enum code code)
{
	return code_row(code)->name;
}

enum code code_parse(const char *name)
{
	enum code code = 0;

	while (code < CODES && strcmp(code_str(code), name) != 0)
		code++;
	return code;
}

const char *code_class_str(enum code_class class)
{
	static const char *const names[CODE_CLASSES] = {
		[CODE_CLASS_HEALTHY] = "healthy",
		[CODE_CLASS_NODE] = "node",
		[CODE_CLASS_LAN] = "lan",
		[CODE_CLASS_SERVICE] = "service",
		[CODE_CLASS_TUNNEL] = "tunnel",
		[CODE_CLASS_UNDECIDED] = "undecided",
	};
	return names[class];
}
