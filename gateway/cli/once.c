/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/once.h"
#include "cli/child.h"
#include "lib/own.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char *once_program(void)
{
	const char *program = getenv("MESHGWD");

	return program ? program : MESHGW_SBINDIR "/meshgwd";
}

/* The child reads the configuration as /dev/stdin: what was checked here is what is used there,
 * also where the child becomes a user who may not read the file. */
static void make_argv(const struct once *once, const char *argv[static 16])
{
	const char *dir = getenv("MESHGW_RUNTIME_DIR");
	size_t n = 0;

	argv[n++] = once_program();
	if (dir) {
		argv[n++] = "--runtime-dir";
		argv[n++] = dir;
	}
	argv[n++] = "--once";
	for (size_t i = 0; i < sizeof(once->verb) / sizeof(once->verb[0]) && once->verb[i]; i++)
		argv[n++] = once->verb[i];
	if (once->content)
		argv[n++] = "/dev/stdin";
	argv[n] = nullptr;
}

static enum exit_status fail_run(int r, struct failure *f)
{
	if (r == -ETIME)
		return failure_set(
			f, EXIT_TIMEOUT, "%s --once did not end in time", once_program());
	if (r == -EMSGSIZE)
		return failure_set(f, EXIT_PROTOCOL, "%s --once talks too much", once_program());
	return failure_set(f, EXIT_UNREACHABLE, "meshgwd is not running, and %s cannot be run: %s",
		once_program(), strerror(-r));
}

static enum exit_status fail_answer(const struct child_result *result, struct failure *f)
{
	if (result->code == 0)
		return failure_set(
			f, EXIT_PROTOCOL, "the answer of %s --once is not valid", once_program());
	if (!*result->last_words)
		return failure_set(f, EXIT_REFUSED, "%s --once failed with exit status %d",
			once_program(), result->code);
	return failure_set(
		f, EXIT_REFUSED, "%s --once failed: %s", once_program(), result->last_words);
}

static enum exit_status take_answer(
	const struct child_result *result, sd_json_variant **reply, struct failure *f)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *answer = nullptr;

	if (sd_json_parse(result->output, 0, &answer, nullptr, nullptr) < 0 ||
		!sd_json_variant_is_object(answer))
		return fail_answer(result, f);
	sd_json_variant *error = sd_json_variant_by_key(answer, "error");
	if (error && sd_json_variant_is_string(error))
		return failure_from_error(f, sd_json_variant_string(error),
			sd_json_variant_by_key(answer, "parameters"));
	*reply = TAKE_PTR(answer);
	return EXIT_DONE;
}

enum exit_status once_run(
	const struct once *once, sd_json_variant **reply, bool *busy, struct failure *f)
{
	const char *argv[16];
	struct child_result result;

	*busy = false;
	make_argv(once, argv);
	int r = child_run(&(struct child){.argv = argv,
				  .input = once->content,
				  .input_len = once->content_len,
				  .timeout_us = once->timeout_us},
		&result);
	if (r < 0)
		return fail_run(r, f);
	autofree char *output = result.output;
	if (result.code == EX_TEMPFAIL) {
		*busy = true;
		return failure_set(f, EXIT_CONFLICT, "meshgwd is running again");
	}
	return take_answer(&result, reply, f);
}
