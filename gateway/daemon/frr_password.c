/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_password.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Not in it: space, quotes, backslash, backquote; `?`, which asks vtysh for help, and `|`, which
 * it takes for a filter. */
static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			      "!#$%&()*+,-./:;<=>@[]^_{}~";

static int check_file(int fd, const char *path, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "%s is no regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_set(err, EACCES, "%s belongs neither to root nor to meshgw", path);
	if (st.st_mode & (S_IWGRP | S_IRWXO))
		return err_set(err, EACCES, "%s has mode %04o: others can read or change it", path,
			st.st_mode & 07777U);
	return 0;
}

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
	out[0] = '\0';
	/* O_NONBLOCK: a pipe in its place must not stop us. */
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	int r = check_file(fd, path, err);
	if (r < 0)
		return r;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	r = check_line(text, (size_t)n, path, err);
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
