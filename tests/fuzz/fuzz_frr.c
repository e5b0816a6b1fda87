/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_frr: what FRR says, as running configuration, as a look at it, as answers to a script. The
 * first byte chooses which, the second the model. Whatever is said, what is sent back to vtysh and
 * what is shown to people stays printable.
 */
#include "../unit/frr_models.h"
#include "frr/diff.h"
#include "frr/output.h"
#include "frr/show.h"
#include "lib/own.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
	for (; *text; text++)
		assert(*text >= ' ' && *text <= '~');
}

/* show: nullptr, or a look that may know of neighbours that have come by themselves. */
static void check_diff(const struct frr_running *running, const struct frr_model *model, bool ours,
	const struct frr_show *show)
{
	struct frr_dynamic dynamic[8];
	size_t n = 0;
	for (size_t i = 0; show && i < show->n_sessions && n < 8; i++)
		if (show->sessions[i].listen_range.addr.family)
			dynamic[n++] = (struct frr_dynamic){
				show->sessions[i].address, show->sessions[i].listen_range};
	const struct prefix installed[] = {frr_model("full")->statics[0].prefix};
	struct frr_diff_input input = {
		.model = model,
		.running = running,
		.created = {ours, ours},
		.installed = installed,
		.n_installed = ours,
		.installed_interface = "mesh0",
		.dynamic = dynamic,
		.n_dynamic = n,
	};
	struct frr_diff diff;
	frr_diff(&input, &diff);
	for (size_t i = 0; i < diff.script.n; i++) {
		check_text(diff.script.lines[i].text);
		assert(diff.script.lines[i].shown <= strlen(diff.script.lines[i].text));
	}
	for (size_t i = 0; i < diff.n_findings; i++) {
		check_text(diff.findings[i].peer);
		check_text(diff.findings[i].text);
	}
	frr_diff_clear(&diff);
}

static void fuzz_running(const struct frr_model *model, const char *text, size_t len, bool ours)
{
	struct frr_running running;
	struct err err = {};
	if (frr_running_read(text, len, &running, &err) < 0) {
		assert(err.code && running.n == 0);
		return;
	}
	frr_running_confirm(&running, FRR_MGMTD, text, len);
	for (size_t i = 0; i < running.n; i++)
		assert(running.list[i].in_mgmtd && running.list[i].text[0]);
	check_diff(&running, model, ours, nullptr);
	frr_running_clear(&running);
}

static void check_show(const struct frr_show *show, const struct frr_model *model)
{
	assert(show->n_sessions == (model ? model->n_neighbors : 0));
	assert(show->n_prefixes == (model ? model->n_statics : 0));
	for (size_t i = 0; i < show->n_sessions; i++) {
		assert(show->sessions[i].state < FRR_SESSION_STATES);
		check_text(show->sessions[i].reset.due_to);
		check_text(show->sessions[i].reset.notification);
	}
	for (size_t i = 0; i < show->n_prefixes; i++) {
		check_text(show->prefixes[i].selected);
		check_text(show->prefixes[i].interface);
	}
	for (size_t i = 0; i < show->n_leaks; i++)
		check_text(show->leaks[i].peer);
}

static void fuzz_show(const struct frr_model *model, const char *text, size_t len, bool ours)
{
	struct frr_script script = {};
	struct frr_show show;
	struct frr_running running;
	frr_show_commands(model, &script);
	frr_show_read(model, &script, text, len, &show);
	check_show(&show, model);
	if (frr_show_running(&show, &running, nullptr) == 0) {
		check_diff(&running, model, ours, &show);
		frr_running_clear(&running);
	}
	frr_show_clear(&show);
	frr_script_clear(&script);
}

static void fuzz_output(const struct frr_model *model, const char *text, size_t len, bool)
{
	struct frr_running running;
	struct frr_refusal refusals[8];
	struct frr_diff diff;
	if (frr_running_read("end\n", 4, &running, nullptr) < 0)
		return;
	frr_diff(&(struct frr_diff_input){.model = model, .running = &running}, &diff);
	size_t n = frr_output_read(&diff.script, text, len, refusals, 8);
	assert(n <= diff.script.n);
	for (size_t i = 0; i < n && i < 8; i++) {
		check_text(refusals[i].text);
		if (refusals[i].line->text[refusals[i].line->shown])
			assert(!strstr(refusals[i].text, "s3c?ret"));
	}
	frr_diff_clear(&diff);
	frr_running_clear(&running);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(const struct frr_model *, const char *, size_t, bool) = {
		fuzz_running, fuzz_show, fuzz_output};
	if (size < 2)
		return 0;
	size_t which = data[1] % (FRR_MODELS + 1);
	const struct frr_model *model = which ? &frr_models()[which - 1].model : nullptr;
	kinds[data[0] % 3](model, (const char *)data + 2, size - 2, data[1] & 0x80);
	return 0;
}
