/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/secret_text.h"
#include "daemon/secret_file.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* RFC 6750 section 2.1: b64token. */
static const char *token_fault(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._~+/";
	size_t len = strlen(text), body = strspn(text, allowed);

	if (len < SECRET_TOKEN_LEAST)
		return "holds fewer than 16 characters";
	if (len > SECRET_TOKEN_MOST)
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
	enum secret_text_kind kind, const char *path, char *text, size_t len, struct err *err)
{
	if (strlen(text) != len)
		return err_set(err, EINVAL, "%s holds bytes that are not text", path);
	if (kind == SECRET_TEXT_TOKEN && len && text[len - 1] == '\n')
		text[--len] = '\0';
	const char *fault = kind == SECRET_TEXT_TOKEN ? token_fault(text) : pem_fault(text);
	return fault ? err_set(err, EINVAL, "%s %s", path, fault) : 0;
}

void secret_text_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

int secret_text_read(enum secret_text_kind kind, const char *path, char **text, struct err *err)
{
	constexpr size_t size = SECRET_PEM_MOST + 2;
	char *buf = xcalloc(1, size);
	size_t len;
	int r = secret_file_read(path,
		kind == SECRET_TEXT_CERTIFICATE ? SECRET_FILE_PUBLIC : SECRET_FILE_CLOSED, buf,
		size, &len, err);

	if (r >= 0 && len > SECRET_PEM_MOST)
		r = err_set(err, EFBIG, "%s is larger than 256 KiB", path);
	if (r >= 0)
		r = check_text(kind, path, buf, len, err);
	if (r >= 0)
		*text = xstrdup(buf);
	explicit_bzero(buf, size);
	free(buf);
	return r;
}
