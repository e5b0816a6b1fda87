/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/bridge_secret.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int check_owner(int fd, enum bridge_file_kind kind, const char *path, struct err *err)
{
	mode_t closed = S_IWGRP | S_IWOTH | (kind == BRIDGE_FILE_CERTIFICATE ? 0 : S_IRWXO);
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "%s is no regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_set(err, EACCES, "%s belongs neither to root nor to meshgw", path);
	if (st.st_mode & closed)
		return err_set(err, EACCES, "%s has mode %04o: others can %s it", path,
			st.st_mode & 07777U,
			kind == BRIDGE_FILE_CERTIFICATE ? "change" : "read or change");
	if ((uint64_t)st.st_size > BRIDGE_PEM_MOST)
		return err_set(err, EFBIG, "%s is larger than 256 KiB", path);
	return 0;
}

/* RFC 6750 section 2.1: b64token. */
static const char *token_fault(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._~+/";
	size_t len = strlen(text), body = strspn(text, allowed);

	if (len < BRIDGE_TOKEN_LEAST)
		return "holds fewer than 16 characters";
	if (len > BRIDGE_TOKEN_MOST)
		return "holds more than 256 characters";
	if (body == 0 || body + strspn(text + body, "=") != len)
		return "holds more than one line, or a character that is no letter, digit or one "
		       "of - . _ ~ + / with = at the end";
	return nullptr;
}

static const char *pem_fault(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p > '~' || (*p < ' ' && !strchr("\t\r\n", *p)))
			return "holds bytes that are not text";
	return strstr(text, "-----BEGIN ") ? nullptr : "holds nothing in PEM";
}

static int check_text(
	enum bridge_file_kind kind, const char *path, char *text, size_t len, struct err *err)
{
	if (strlen(text) != len)
		return err_set(err, EINVAL, "%s holds bytes that are not text", path);
	if (kind == BRIDGE_FILE_TOKEN && len && text[len - 1] == '\n')
		text[--len] = '\0';
	const char *fault = kind == BRIDGE_FILE_TOKEN ? token_fault(text) : pem_fault(text);
	return fault ? err_set(err, EINVAL, "%s %s", path, fault) : 0;
}

static void wipe(char *text, size_t size)
{
	explicit_bzero(text, size);
	free(text);
}

/* A file that grows while it is read is cut at the bound, and then refused. */
static int read_all(int fd, const char *path, char *buf, size_t *len, struct err *err)
{
	*len = 0;
	while (*len <= BRIDGE_PEM_MOST) {
		ssize_t n = read(fd, buf + *len, BRIDGE_PEM_MOST + 1 - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, errno, "%s: %s", path, strerror(errno));
		if (n == 0)
			return 0;
		*len += (size_t)n;
	}
	return err_set(err, EFBIG, "%s is larger than 256 KiB", path);
}

int bridge_file_read(enum bridge_file_kind kind, const char *path, char **text, struct err *err)
{
	constexpr size_t size = BRIDGE_PEM_MOST + 2;
	size_t len;
	/* O_NONBLOCK: a pipe in its place must not stop us. */
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	int r = check_owner(fd, kind, path, err);
	if (r < 0)
		return r;
	char *buf = xcalloc(1, size);
	r = read_all(fd, path, buf, &len, err);
	if (r >= 0)
		r = check_text(kind, path, buf, len, err);
	if (r >= 0)
		*text = xstrdup(buf);
	wipe(buf, size);
	return r;
}

static const struct bridge_file *find(
	const struct bridge_secrets *s, enum bridge_file_kind kind, const char *path)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].kind == kind && !strcmp(s->list[i].path, path))
			return &s->list[i];
	return nullptr;
}

/* path nullptr: the configuration names none. */
static void add(struct bridge_secrets *s, enum bridge_file_kind kind, const char *path)
{
	if (!path || find(s, kind, path))
		return;
	XGROW(s->list, s->n, s->cap);
	struct bridge_file *f = &s->list[s->n++];
	*f = (struct bridge_file){.kind = kind, .path = xstrdup(path)};
	(void)bridge_file_read(kind, path, &f->text, &f->problem);
}

void bridge_secrets_read(struct bridge_secrets *s, const struct config_bridge *bridge)
{
	bridge_secrets_clear(s);
	for (size_t i = 0; i < bridge->n_token_files; i++)
		add(s, BRIDGE_FILE_TOKEN, bridge->token_files[i].text);
	for (size_t i = 0; i < bridge->n_routes; i++) {
		const struct config_route *route = &bridge->routes[i];
		for (size_t j = 0; j < route->n_token_files; j++)
			add(s, BRIDGE_FILE_TOKEN, route->token_files[j].text);
		add(s, BRIDGE_FILE_CERTIFICATE, route->tls.ca_file);
		add(s, BRIDGE_FILE_CERTIFICATE, route->tls.certificate_file);
		add(s, BRIDGE_FILE_KEY, route->tls.key_file);
	}
}

void bridge_secrets_clear(struct bridge_secrets *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct bridge_file *f = &s->list[i];
		if (f->text)
			wipe(f->text, strlen(f->text));
		free(f->path);
	}
	free(s->list);
	*s = (struct bridge_secrets){};
}

const char *bridge_secret(
	const struct bridge_secrets *s, enum bridge_file_kind kind, const char *path)
{
	const struct bridge_file *f = find(s, kind, path);
	return f ? f->text : nullptr;
}
