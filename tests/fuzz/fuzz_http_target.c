/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_http_target: a Host field, a newline, a target. A path that is accepted is its own normal
 * form, never longer than what came, and has no dot segment however often it is decoded.
 */
#include "http/target.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_segments(const char *path, size_t len)
{
	for (size_t i = 0, begin = 1; i <= len; i++) {
		if (i < len && path[i] != '/')
			continue;
		size_t n = i > begin ? i - begin : 0;
		assert(!(n == 1 && path[begin] == '.'));
		assert(!(n == 2 && memcmp(path + begin, "..", 2) == 0));
		begin = i + 1;
	}
	assert(!memmem(path, len, "//", 2) && !memchr(path, '\\', len));
	assert(!memmem(path, len, "%2F", 3) && !memmem(path, len, "%2f", 3));
}

static void check(const struct http_target *t, size_t len)
{
	char *scratch = xcalloc(t->path_len, 1);
	struct http_target again;
	enum http_fault why;
	struct http_request r = {
		.target = t->path, .target_len = t->path_len, .host = "a", .host_len = 1};

	assert(t->path[0] == '/' && t->path_len + t->query_len <= len + 1);
	check_segments(t->path, t->path_len);
	assert(http_target_read(&r, scratch, &again, &why) == 0);
	assert(again.path_len == t->path_len && memcmp(again.path, t->path, t->path_len) == 0);
	free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : nullptr;
	if (!end || (size_t)(end - data) + 1 == size)
		return 0;
	size_t host_len = (size_t)(end - data), len = size - host_len - 1;
	autofree char *copy = xcalloc(size, 1), *scratch = xcalloc(len, 1);
	memcpy(copy, data, size);

	struct http_target t;
	enum http_fault why = HTTP_FAULT_NONE;
	struct http_request r = {.method = HTTP_METHOD_OPTIONS,
		.target = copy + host_len + 1,
		.target_len = len,
		.host = copy,
		.host_len = host_len};
	int got = http_target_read(&r, scratch, &t, &why);
	assert(got == 0 || (got == -EBADMSG && why != HTTP_FAULT_NONE));
	if (got == 0 && t.path[0] != '*')
		check(&t, len);
	return 0;
}
