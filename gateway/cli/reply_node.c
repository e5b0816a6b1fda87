/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/reply_node.h"
#include "cli/reply_field.h"
#include <errno.h>
#include <string.h>

static const sd_json_dispatch_field check_fields[] = {
	TEXT(struct reply_check, "name", name),
	TEXT(struct reply_check, "title", title),
	TEXT(struct reply_check, "result", result),
	TEXT(struct reply_check, "reason", reason),
	TEXT_OR_NULL(struct reply_check, "code", code),
	TEXT_OR_NULL(struct reply_check, "remedy", remedy),
	{},
};

static const sd_json_dispatch_field flow_fields[] = {
	TEXT(struct reply_flow, "target", target),
	TEXT(struct reply_flow, "code", code),
	TEXT(struct reply_flow, "confidence", confidence),
	TEXT(struct reply_flow, "summary", summary),
	TEXT(struct reply_flow, "client", client),
	NUMBER(struct reply_flow, "count", count),
	NUMBER(struct reply_flow, "firstSeen", first_us),
	NUMBER(struct reply_flow, "lastSeen", last_us),
	{},
};

static int read_checks(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *to)
{
	return reply_list_read(v, check_fields, sizeof(struct reply_check), to);
}

static const sd_json_dispatch_field checks_fields[] = {
	{"checks", SD_JSON_VARIANT_ARRAY, read_checks, offsetof(struct checks, list),
		SD_JSON_MANDATORY},
	{},
};

int checks_read(sd_json_variant *reply, struct checks *out)
{
	*out = (struct checks){};
	if (sd_json_dispatch(reply, checks_fields, SD_JSON_ALLOW_EXTENSIONS, out) < 0) {
		checks_clear(out);
		return -EINVAL;
	}
	out->raw = sd_json_variant_ref(reply);
	return 0;
}

void checks_clear(struct checks *c)
{
	list_clear(&c->list);
	sd_json_variant_unref(c->raw);
	*c = (struct checks){};
}

size_t checks_count(const struct checks *c, const char *result)
{
	const struct reply_check *list = c->list.items;
	size_t n = 0;

	for (size_t i = 0; i < c->list.n; i++)
		n += strcmp(list[i].result, result) == 0;
	return n;
}

int flow_read(sd_json_variant *flow, struct reply_flow *out)
{
	*out = (struct reply_flow){};
	if (!flow || !sd_json_variant_is_object(flow) ||
		sd_json_dispatch(flow, flow_fields, SD_JSON_ALLOW_EXTENSIONS, out) < 0)
		return -EINVAL;
	return 0;
}

int flows_dispatch(const char *, sd_json_variant *v, sd_json_dispatch_flags_t, void *list)
{
	return reply_list_read(v, flow_fields, sizeof(struct reply_flow), list);
}
