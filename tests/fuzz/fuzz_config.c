/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_config: any bytes as configuration.
 *
 * What parses must print, what is printed must parse to an equal config and print to the same
 * bytes. What does not parse must say why, in order and in printable characters only.
 */
#include "conf/config.h"
#include "conf/print.h"
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_printable(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	assert(len < size);
	for (size_t i = 0; i < len; i++)
		assert(text[i] >= 0x20 && text[i] <= 0x7e);
}

static void check_diags(const struct config_diags *diags)
{
	for (size_t i = 0; i < diags->n; i++) {
		const struct config_diag *diag = &diags->list[i];
		assert(diag->mark.line > 0 && diag->mark.column > 0);
		assert(diag->message[0] != '\0');
		check_printable(diag->path, sizeof(diag->path));
		check_printable(diag->message, sizeof(diag->message));
		if (i == 0)
			continue;
		const struct config_mark *before = &diags->list[i - 1].mark;
		assert(before->line <= diag->mark.line);
		assert(before->line < diag->mark.line || before->column <= diag->mark.column);
	}
}

static struct config *parse(const char *text, size_t len)
{
	struct config *config = nullptr;
	struct config_diags diags;
	int r = config_parse(text, len, &config, &diags);

	assert(r == 0 || r == -EINVAL || r == -EFBIG);
	assert((r == 0) == (diags.n == 0) && (r == 0) == (config != nullptr));
	check_diags(&diags);
	config_diags_clear(&diags);
	return config;
}

static char *print(const struct config *config, size_t *len)
{
	char *text = nullptr;
	FILE *out = open_memstream(&text, len);

	assert(out && config_print(config, out) == 0);
	fclose(out);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = parse((const char *)data, size);

	if (!config)
		return 0;
	size_t len, len_again;
	char *text = print(config, &len);
	struct config *again = parse(text, len);
	assert(again && config_equal(config, again));
	char *text_again = print(again, &len_again);
	assert(len == len_again && memcmp(text, text_again, len) == 0);
	free(text);
	free(text_again);
	config_free(config);
	config_free(again);
	return 0;
}
