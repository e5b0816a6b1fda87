/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_connip_template: a URI Template, a :path and two values, one a line. Whatever parses must
 * expand and match without fault, and a path that came from a template leads back to its values.
 */
#include "connip/request.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const struct template *t, const char *path)
{
	struct request_head head = {.method = "CONNECT",
		.protocol = "connect-ip",
		.scheme = "https",
		.authority = "e.org",
		.path = path};
	struct request_rules rules = {.template = t};
	struct template_values values;
	struct scope scope;

	if (request_read(&head, &rules, &scope) != REQUEST_ACCEPTED)
		return;
	assert(scope.kind != SCOPE_PREFIX || scope.prefix.len <= 128);
	scope_values(&scope, &values);
	struct scope again;
	assert(scope_read(&values, &again) == 0 && again.kind == scope.kind);
}

static void check_values(const char *text, const struct template_values *values)
{
	struct template *client = nullptr, *proxy = nullptr;
	char path[TEMPLATE_TARGET_MAX];
	struct template_values back;

	if (template_new(text, TEMPLATE_OF_CLIENT, &client, nullptr) < 0)
		return;
	if (template_expand(client, values, path) == 0 &&
		template_new(text, TEMPLATE_OF_PROXY, &proxy, nullptr) == 0) {
		int r = template_match(proxy, path, &back);
		assert(r != 0 || !*back.target || !*values->target ||
			strcmp(back.target, values->target) == 0);
	}
	template_free(client);
	template_free(proxy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = xcalloc(size + 1, 1);
	struct template_values values = {};
	struct template *proxy = nullptr;

	if (size)
		memcpy(text, data, size);
	char *at = text, *template = strsep(&at, "\n"), *path = strsep(&at, "\n"),
	     *target = strsep(&at, "\n");
	if (template_new(template, TEMPLATE_OF_PROXY, &proxy, nullptr) == 0 && path)
		check_path(proxy, path);
	template_free(proxy);
	snprintf(values.target, sizeof(values.target), "%s", target ? target : "");
	snprintf(values.ipproto, sizeof(values.ipproto), "%s", at ? at : "");
	check_values(template, &values);
	(void)request_capsule_protocol(template);
	return 0;
}
