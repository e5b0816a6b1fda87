/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_reply: text as the daemon's reply, read and shown for people. Whatever it says, nothing but
 * printable ASCII may come out.
 */
#include "cli/out.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show_error(const struct view *v, sd_json_variant *reply)
{
	sd_json_variant *id = sd_json_variant_by_key(reply, "error");
	struct failure f = {};

	if (!id || !sd_json_variant_is_string(id))
		return;
	failure_from_error(
		&f, sd_json_variant_string(id), sd_json_variant_by_key(reply, "parameters"));
	assert(f.status != EXIT_DONE);
	out_text.failure(v, &f);
	failure_clear(&f);
}

static void show_diagnosis(const struct view *v, sd_json_variant *reply)
{
	sd_json_variant *json = sd_json_variant_by_key(reply, "flow");
	struct reply_verdict verdict;
	struct reply_flow flow;
	struct checks checks;

	if (verdict_read(reply, &verdict) >= 0)
		out_text.verdict(v, &verdict);
	verdict_clear(&verdict);
	if (checks_read(reply, &checks) >= 0)
		out_text.checks(v, &checks);
	checks_clear(&checks);
	if (flow_read(json, &flow) >= 0)
		out_text.flow(v, &flow, json);
}

static void show(const struct view *v, sd_json_variant *reply)
{
	struct status status;
	struct changes changes;

	if (status_read(reply, &status) >= 0)
		out_text.status(v, &status);
	if (status.tunnel.edge.set)
		out_text.edge(v, &status.tunnel);
	status_clear(&status);
	if (changes_read(reply, &changes) >= 0)
		out_text.changes(v, "apply", &changes);
	changes_clear(&changes);
	show_error(v, reply);
	show_diagnosis(v, reply);
}

static void check_printable(const char *text)
{
	for (; *text; text++)
		assert(*text == '\n' || (*text >= 0x20 && *text <= 0x7e));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	[[gnu::cleanup(sd_json_variant_unrefp)]] sd_json_variant *reply = nullptr;
	autofree char *text = xcalloc(size + 1, 1), *shown = nullptr;
	size_t len;

	if (size)
		memcpy(text, data, size);
	if (sd_json_parse(text, 0, &reply, nullptr, nullptr) < 0 ||
		!sd_json_variant_is_object(reply))
		return 0;
	FILE *out = open_memstream(&shown, &len);
	if (!out)
		abort();
	struct term term = {.file = out};
	struct view view = {.out = term, .err = term, .verbose = true};
	show(&view, reply);
	fclose(out);
	check_printable(shown);
	return 0;
}
