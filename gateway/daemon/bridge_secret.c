/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/bridge_secret.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>

static const struct bridge_file *find(
	const struct bridge_secrets *s, enum secret_text_kind kind, const char *path)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].kind == kind && !strcmp(s->list[i].path, path))
			return &s->list[i];
	return nullptr;
}

/* path nullptr: the configuration names none. */
static void add(struct bridge_secrets *s, enum secret_text_kind kind, const char *path)
{
	if (!path || find(s, kind, path))
		return;
	XGROW(s->list, s->n, s->cap);
	struct bridge_file *f = &s->list[s->n++];
	*f = (struct bridge_file){.kind = kind, .path = xstrdup(path)};
	(void)secret_text_read(kind, path, &f->text, &f->problem);
}

void bridge_secrets_read(struct bridge_secrets *s, const struct config_bridge *bridge)
{
	bridge_secrets_clear(s);
	for (size_t i = 0; i < bridge->n_token_files; i++)
		add(s, SECRET_TEXT_TOKEN, bridge->token_files[i].text);
	for (size_t i = 0; i < bridge->n_routes; i++) {
		const struct config_route *route = &bridge->routes[i];
		for (size_t j = 0; j < route->n_token_files; j++)
			add(s, SECRET_TEXT_TOKEN, route->token_files[j].text);
		add(s, SECRET_TEXT_CERTIFICATE, route->tls.ca_file);
		add(s, SECRET_TEXT_CERTIFICATE, route->tls.certificate_file);
		add(s, SECRET_TEXT_KEY, route->tls.key_file);
	}
}

void bridge_secrets_clear(struct bridge_secrets *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct bridge_file *f = &s->list[i];
		secret_text_free(f->text);
		free(f->path);
	}
	free(s->list);
	*s = (struct bridge_secrets){};
}

const char *bridge_secret(
	const struct bridge_secrets *s, enum secret_text_kind kind, const char *path)
{
	const struct bridge_file *f = find(s, kind, path);
	return f ? f->text : nullptr;
}
