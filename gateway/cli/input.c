/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/input.h"
#include "cli/cli.h"
#include "lib/api.h"
#include "lib/escape.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

static int read_stdin(char **text, size_t *len, struct err *err)
{
	autofree char *buffer = xcalloc(CONFIG_MAX_BYTES + 2, 1);
	size_t used = 0;

	while (used <= CONFIG_MAX_BYTES) {
		ssize_t n = read(STDIN_FILENO, buffer + used, CONFIG_MAX_BYTES + 1 - used);
		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			return err_set(err, errno, "standard input: %s", strerror(errno));
		used += n > 0 ? (size_t)n : 0;
	}
	if (used > CONFIG_MAX_BYTES)
		return err_set(
			err, EFBIG, "standard input: larger than %zu bytes", CONFIG_MAX_BYTES);
	*text = TAKE_PTR(buffer);
	*len = used;
	return 0;
}

static sd_json_variant *diagnostics_json(const struct config_diags *diags, const char *file)
{
	sd_json_variant *list = nullptr, *parameters = nullptr;
	int r = sd_json_variant_new_array(&list, nullptr, 0);

	for (size_t i = 0; r >= 0 && i < diags->n; i++) {
		const struct config_diag *d = &diags->list[i];
		r = sd_json_variant_append_arraybo(&list, SD_JSON_BUILD_PAIR_STRING("file", file),
			SD_JSON_BUILD_PAIR_UNSIGNED("line", d->mark.line),
			SD_JSON_BUILD_PAIR_UNSIGNED("column", d->mark.column),
			SD_JSON_BUILD_PAIR_STRING("path", d->path),
			SD_JSON_BUILD_PAIR_STRING("message", d->message));
	}
	if (r >= 0)
		r = sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_VARIANT("diagnostics", list),
			SD_JSON_BUILD_PAIR_CONDITION(diags->total > diags->n, "total",
				SD_JSON_BUILD_UNSIGNED(diags->total)));
	if (r < 0)
		out_of_memory();
	sd_json_variant_unref(list);
	return parameters;
}

static enum exit_status parse(struct input *in, struct failure *f)
{
	struct config_diags diags = {};
	enum exit_status status = EXIT_DONE;

	if (config_parse(in->text, in->len, &in->config, &diags) < 0) {
		[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *parameters =
			diagnostics_json(&diags, in->name);
		status = failure_from_error(f, API_ERROR_CONFIG_INVALID, parameters);
	}
	config_diags_clear(&diags);
	return status;
}

enum exit_status input_load(
	const char *path, const char *otherwise, struct input *in, struct failure *f)
{
	bool from_stdin = strcmp(path, "-") == 0;
	const char *name = from_stdin ? "<stdin>" : path;
	struct err err = {};

	*in = (struct input){};
	escape_text(name, strlen(name), in->name, sizeof(in->name));
	int r = from_stdin ? read_stdin(&in->text, &in->len, &err)
			   : config_read_file(path, &in->text, &in->len, &err);
	if (r == -EINVAL && !from_stdin) /* a pipe, such as the shell's <(…) */
		return failure_set(
			f, EXIT_FILE, "%s; a pipe is read from standard input, as -", err.msg);
	if (r == -ENOENT && otherwise)
		return failure_set(f, EXIT_FILE, "%s; %s", err.msg, otherwise);
	if (r < 0)
		return failure_set(f, r == -EFBIG ? EXIT_TOO_LARGE : EXIT_FILE, "%s", err.msg);
	return EXIT_DONE;
}

enum exit_status input_read(const char *argument, struct input *in, struct failure *f)
{
	enum exit_status status = input_load(argument ? argument : CLI_CONFIG_FILE, nullptr, in, f);

	return status == EXIT_DONE ? parse(in, f) : status;
}

void input_clear(struct input *in)
{
	free(in->text);
	config_free(in->config);
	*in = (struct input){};
}
