/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_bridge: each CASE.yaml of a folder beside CASE.json, the object that meshgwd sends to the
 * HTTP bridge. The bridge's own reader must take every one of them.
 *
 * Files hold a text made of their path, those whose path has "missing" in it cannot be used. Names
 * have addresses unless they begin with "unknown".
 */
#include "conf/config.h"
#include "daemon/bridge_json.h"
#include "golden.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "route/config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct addr *addresses(const void *, const char *name, size_t *n)
{
	static const struct addr list[] = {
		{AF_INET, {10, 0, 1, 70}}, {AF_INET6, {0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 0x70}}};

	*n = strncmp(name, "unknown", 7) == 0 ? 0 : 2;
	return list;
}

static void fill(struct bridge_file *f)
{
	char text[256];

	if (strstr(f->path, "missing"))
		return;
	if (f->kind == SECRET_TEXT_TOKEN)
		snprintf(text, sizeof(text), "token-of-%s=", f->path);
	else
		snprintf(text, sizeof(text), "-----BEGIN %s-----\nAAAA\n-----END %s-----\n",
			strrchr(f->path, '/') + 1, strrchr(f->path, '/') + 1);
	free(f->text);
	f->text = xstrdup(text);
}

/* nullptr, with a word on stderr, if it cannot be used. */
static char *make_text(const char *path)
{
	static const struct bridge_resolver names = {addresses, nullptr};
	struct config *config = nullptr;
	struct config_diags diags = {};
	struct bridge_secrets secrets = {};
	const struct bridge_config *read = nullptr;
	struct err err = {};
	autofree char *yaml = nullptr;
	char *text = nullptr;
	size_t len;

	if (config_read_file(path, &yaml, &len, &err) < 0 ||
		config_parse(yaml, len, &config, &diags) < 0) {
		fprintf(stderr, "%s: %s\n", path, diags.n ? diags.list[0].message : err.msg);
		config_diags_clear(&diags);
		return nullptr;
	}
	config_diags_clear(&diags);
	bridge_secrets_read(&secrets, &config->bridge);
	for (size_t i = 0; i < secrets.n; i++)
		fill(&secrets.list[i]);
	sd_json_variant *v = bridge_json(config, &secrets, &names, "gw1");
	if (bridge_config_from_json(v, &read, &err) < 0)
		fprintf(stderr, "%s: the bridge refuses it: %s\n", path, err.msg);
	else if (sd_json_variant_format(v, SD_JSON_FORMAT_PRETTY | SD_JSON_FORMAT_NEWLINE, &text) <
		 0)
		abort();
	bridge_config_unref(read);
	sd_json_variant_unref(v);
	bridge_secrets_clear(&secrets);
	config_free(config);
	return text;
}

int main(int argc, char **argv)
{
	return golden_main(argc, argv, ".yaml", ".json", make_text);
}
