/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/redact.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Any case, also as a part of a longer word. */
static const char *const words[] = {
	"password",
	"passwd",
	"passphrase",
	"auth_pass",
	"auth-pass",
	"secret",
	"private-key",
	"private_key",
	"privatekey",
	"preshared",
	"psk",
	"key-string",
	"authentication-key",
	"authentication string",
	"message-digest-key",
	"fastopen_key",
	"snmp-server community",
	"api-key",
	"api_key",
	"apikey",
	"auth-key",
	"auth_key",
	"authkey",
	"token",
	"bearer",
	"authorization",
	"cookie",
};
constexpr size_t WORDS = sizeof(words) / sizeof(words[0]);

struct buffer {
	char *text;
	size_t len, size;
};

static void append(struct buffer *b, const char *text, size_t len)
{
	if (b->size - b->len <= len)
		b->text = xreallocarray(b->text, b->size = 2 * (b->len + len + 1), 1);
	memcpy(b->text + b->len, text, len);
	b->len += len;
	b->text[b->len] = '\0';
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

static bool ends_in(const char *text, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && strncasecmp(text + len - n, end, n) == 0;
}

static bool is_separator(char c)
{
	return c != '\0' && strchr(" \t:=\"'>", c);
}

/* Where the secret behind the word at `at` begins; len if there is none. */
static size_t value_behind(const char *line, size_t len, size_t at, size_t word)
{
	size_t i = at + word;

	while (i < len && is_word_char(line[i]))
		i++;
	if (ends_in(line, i, "file") || ends_in(line, i, "files"))
		return len;
	size_t begin = i;
	while (i < len && is_separator(line[i]))
		i++;
	return i > begin ? i : len;
}

/* The first secret that has a word in front of it; len if there is none. */
static size_t secret_in(const char *line, size_t len)
{
	for (size_t at = 0; at < len; at++)
		for (size_t w = 0; w < WORDS; w++) {
			size_t n = strlen(words[w]);
			if (len - at < n || strncasecmp(line + at, words[w], n) != 0)
				continue;
			size_t begin = value_behind(line, len, at, n);
			if (begin < len)
				return begin;
		}
	return len;
}

/* The end of "user:password" in "://user:password@", from behind the slashes; 0 if there is none.
 */
static size_t credentials(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && !strchr("/?# \t\"'<>@", text[i]) && text[i])
		i++;
	return i < len && text[i] == '@' && memchr(text, ':', i) ? i : 0;
}

static void append_urls(struct buffer *b, const char *line, size_t len)
{
	const char *at = memmem(line, len, "://", 3);

	while (at) {
		size_t head = (size_t)(at - line) + 3;
		append(b, line, head);
		line += head;
		len -= head;
		size_t n = credentials(line, len);
		append(b, REDACTED, n ? strlen(REDACTED) : 0);
		line += n;
		len -= n;
		at = memmem(line, len, "://", 3);
	}
	append(b, line, len);
}

static void append_line(struct buffer *b, const char *line, size_t len)
{
	size_t secret = secret_in(line, len);

	append_urls(b, line, secret);
	if (secret < len)
		append(b, REDACTED, strlen(REDACTED));
}

static bool has(const char *line, size_t len, const char *part)
{
	return memmem(line, len, part, strlen(part)) != nullptr;
}

/* RFC 7468. Its lines go; the first and the last one stay. */
static bool append_pem(struct buffer *b, const char *line, size_t len, bool inside)
{
	if (inside && !has(line, len, "-----END "))
		return true;
	append(b, line, len);
	return !inside && !has(line, len, "-----END ");
}

size_t redact_text(const char *text, size_t len, char **out)
{
	struct buffer b = {};
	bool inside = false;

	append(&b, "", 0);
	while (len > 0) {
		const char *newline = memchr(text, '\n', len);
		size_t line = newline ? (size_t)(newline - text) : len;
		bool key = has(text, line, "-----BEGIN ") && has(text, line, "PRIVATE KEY-----");
		if (inside || key)
			inside = append_pem(&b, text, line, inside);
		else
			append_line(&b, text, line);
		if (newline && !inside)
			append(&b, "\n", 1);
		else if (newline && key)
			append(&b, "\n" REDACTED "\n", strlen("\n" REDACTED "\n"));
		line += newline ? 1 : 0;
		text += line;
		len -= line;
	}
	*out = b.text;
	return b.len;
}

/* ---- JSON ---- */

static void must(int r)
{
	if (r < 0)
		out_of_memory();
}

static bool is_secret_name(const char *name)
{
	for (size_t w = 0; w < WORDS; w++)
		if (strcasestr(name, words[w]))
			return !ends_in(name, strlen(name), "file");
	return false;
}

static sd_json_variant *redact_string(const char *text)
{
	autofree char *clean = nullptr;
	sd_json_variant *v = nullptr;

	redact_text(text, strlen(text), &clean);
	must(sd_json_variant_new_string(&v, clean));
	return v;
}

static sd_json_variant *redact_member(const char *name, sd_json_variant *v)
{
	sd_json_variant *redacted = nullptr;

	if (!sd_json_variant_is_string(v) || !is_secret_name(name))
		return redact_json(v);
	must(sd_json_variant_new_string(&redacted, REDACTED));
	return redacted;
}

/* Elements of an object are its names and values in turn. */
static sd_json_variant *redact_all(sd_json_variant *v, bool object)
{
	size_t n = sd_json_variant_elements(v);
	sd_json_variant **list = xcalloc(n, sizeof(*list)), *out = nullptr;

	for (size_t i = 0; i < n; i++) {
		sd_json_variant *e = sd_json_variant_by_index(v, i);
		if (object && i % 2 == 0)
			list[i] = sd_json_variant_ref(e);
		else if (object)
			list[i] = redact_member(sd_json_variant_string(list[i - 1]), e);
		else
			list[i] = redact_json(e);
	}
	must(object ? sd_json_variant_new_object(&out, list, n)
		    : sd_json_variant_new_array(&out, list, n));
	for (size_t i = 0; i < n; i++)
		sd_json_variant_unref(list[i]);
	free(list);
	return out;
}

sd_json_variant *redact_json(sd_json_variant *v)
{
	if (sd_json_variant_is_object(v))
		return redact_all(v, true);
	if (sd_json_variant_is_array(v))
		return redact_all(v, false);
	if (sd_json_variant_is_string(v))
		return redact_string(sd_json_variant_string(v));
	return sd_json_variant_ref(v);
}
