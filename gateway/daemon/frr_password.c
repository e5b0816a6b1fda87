/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_password.h"
#include "daemon/secret_file.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not in it: space, quotes, backslash, backquote; `?`, which asks vtysh for help, and `|`, which
 * it takes for a filter. */
static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			      "!#$%&()*+,-./:;<=>@[]^_{}~";

static int check_line(char *text, size_t n, const char *path, struct err *err)
{
	if (n && text[n - 1] == '\n')
		text[--n] = '\0';
	if (n == 0)
		return err_set(err, EINVAL, "%s is empty", path);
	if (n > FRR_PASSWORD_MAX)
		return err_set(
			err, EINVAL, "%s holds more than %zu characters", path, FRR_PASSWORD_MAX);
	if (strspn(text, allowed) != n)
		return err_set(err, EINVAL,
			"%s holds more than one line, or a character that is no letter, digit "
			"or one of %s",
			path, allowed + 62);
	return 0;
}

int frr_password_read(const char *path, char out[static FRR_PASSWORD_MAX + 1], struct err *err)
{
	char text[FRR_PASSWORD_MAX + 3] = "";
	size_t n;
	out[0] = '\0';
	int r = secret_file_read(path, SECRET_FILE_CLOSED, text, sizeof(text), &n, err);
	if (r >= 0)
		r = check_line(text, n, path, err);
	if (r >= 0)
		memcpy(out, text, strlen(text) + 1);
	explicit_bzero(text, sizeof(text));
	return r;
}

void frr_secrets_read(struct frr_secrets *secrets, const struct config *config)
{
	frr_secrets_clear(secrets);
	secrets->n = config->bgp.n_neighbors;
	secrets->list = xcalloc(secrets->n, sizeof(*secrets->list));
	for (size_t i = 0; i < secrets->n; i++) {
		struct frr_secret *s = &secrets->list[i];
		const char *path = config->bgp.neighbors[i].password_file;
		struct err err = {};
		if (path && frr_password_read(path, s->text, &err) < 0)
			snprintf(s->problem, sizeof(s->problem), "%.190s", err.msg);
	}
}

void frr_secrets_clear(struct frr_secrets *secrets)
{
	if (secrets->n)
		explicit_bzero(secrets->list, secrets->n * sizeof(*secrets->list));
	free(secrets->list);
	*secrets = (struct frr_secrets){};
}
