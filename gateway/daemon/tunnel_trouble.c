/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tunnel_trouble.h"
#include "lib/escape.h"
#include <string.h>

constexpr size_t TROUBLES_MAX = 64;
constexpr size_t WHO_STRLEN = 64;
constexpr size_t TEXT_STRLEN = 200;

static const struct {
	const char *kind;
	enum condition_code code;
} kinds[] = {
	{"flooded", COND_TUNNEL_FLOODED},
	{"breach", COND_TUNNEL_PEER_BREACH},
	{"excess", COND_TUNNEL_PEER_EXCESS},
	{"spoofed", COND_TUNNEL_PEER_SPOOFED},
	{"deaf", COND_TUNNEL_PEER_DEAF},
	{"silent", COND_TUNNEL_PEER_SILENT},
	{"lossy", COND_TUNNEL_PATH_LOSSY},
	{"narrow", COND_TUNNEL_PATH_NARROW},
	{"unreached", COND_TUNNEL_EDGE_UNREACHED},
	{"strange", COND_TUNNEL_EDGE_UNTRUSTED},
	{"invalid", COND_TUNNEL_EDGE_CERTIFICATE},
	{"unwelcome", COND_TUNNEL_CERTIFICATE_REFUSED},
	{"refused", COND_TUNNEL_REQUEST_REFUSED},
};

/* COND_CODES: none of ours. */
static enum condition_code code_of(const char *kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			return kinds[i].code;
	return COND_CODES;
}

static const char *member(sd_json_variant *trouble, const char *key)
{
	sd_json_variant *v = sd_json_variant_by_key(trouble, key);

	return v && sd_json_variant_is_string(v) ? sd_json_variant_string(v) : "";
}

static void add(sd_json_variant *trouble, const char *nobody, struct conditions *out)
{
	enum condition_code code = code_of(member(trouble, "kind"));
	const char *who = member(trouble, "who"), *text = member(trouble, "text");
	char subject[WHO_STRLEN], message[TEXT_STRLEN];

	if (code == COND_CODES)
		return;
	escape_text(who, strlen(who), subject, sizeof(subject));
	escape_text(text, strlen(text), message, sizeof(message));
	conditions_add(out, code, *subject ? subject : nobody, "%s", message);
}

void tunnel_trouble_health(sd_json_variant *troubles, const char *nobody, struct conditions *out)
{
	size_t n = troubles && sd_json_variant_is_array(troubles)
			   ? sd_json_variant_elements(troubles)
			   : 0;

	for (size_t i = 0; i < n && i < TROUBLES_MAX; i++) {
		sd_json_variant *trouble = sd_json_variant_by_index(troubles, i);
		if (sd_json_variant_is_object(trouble))
			add(trouble, nobody, out);
	}
}
