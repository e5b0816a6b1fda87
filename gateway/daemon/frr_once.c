/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_once.h"
#include "daemon/clock.h"
#include "daemon/frr_presence.h"
#include <errno.h>

static const char *program_or_default(const char *program)
{
	return program ? program : VTYSH_PROGRAM;
}

void frr_once_plan(const char *program, const struct config *config, const struct config *before,
	const struct frr_memory *memory, struct ops *ops, struct conditions *out)
{
	struct frr_plan plan;
	struct frr_call call = {};
	struct frr_view view;
	struct vtysh_result result;
	struct err why = {};
	if (!frr_plan_begin(&plan, config, before, memory))
		return;
	frr_call_read(&call, &plan.asked.model);
	call.request.program = program_or_default(program);
	vtysh_run(&call.request, &result);
	int r = frr_view_read(&view, &plan.asked.model, &call, &result, &why);
	frr_plan_end(&plan, r < 0 ? nullptr : &view, &why, ops, out);
	frr_view_clear(&view);
	vtysh_result_clear(&result);
	frr_call_clear(&call);
	frr_plan_clear(&plan);
}

/* Time stands still but for the pauses that the machine asks for. */
static void run_to_the_end(const char *program, struct frr_sync *s)
{
	struct vtysh_request request;
	uint64_t now = clock_monotonic_us();
	for (;;) {
		uint64_t wake = frr_sync_wake(s);
		if (wake > now)
			now = wake;
		if (!frr_sync_next(s, now, &request))
			return;
		struct vtysh_result result;
		request.program = program;
		vtysh_run(&request, &result);
		frr_sync_done(s, &result, now);
		vtysh_result_clear(&result);
		if (s->settled)
			return;
	}
}

int frr_once_remove(const char *program, const char *dir, struct frr_sync *s,
	const struct config *before, struct err *err)
{
	program = program_or_default(program);
	if (before)
		frr_sync_remember(s, before);
	struct frr_there there = frr_presence_look(program, dir ? dir : FRR_RUNTIME_DIR);
	frr_sync_presence(s, &there, false, clock_monotonic_us());
	frr_sync_kernel(s, clock_monotonic_us());
	run_to_the_end(program, s);
	if (!s->removing || s->removed || s->state == FRR_ABSENT)
		return 0;
	if (s->problem.code)
		return err_set(err, s->problem.code, "%s", s->problem.msg);
	return err_set(err, EIO, "it did not take our statements");
}
