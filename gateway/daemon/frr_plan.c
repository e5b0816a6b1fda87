/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_plan.h"
#include "daemon/frr_conditions.h"
#include "daemon/frr_ops.h"
#include <string.h>

bool frr_plan_begin(struct frr_plan *p, const struct config *config, const struct config *before,
	const struct frr_memory *memory)
{
	bool wanted = config && config->bgp.configured;
	const struct config *about = wanted ? config : before;
	*p = (struct frr_plan){.config = wanted ? config : nullptr, .memory = *memory};
	if (!wanted && !memory->touched)
		return false;
	if (wanted)
		frr_secrets_read(&p->secrets, config);
	if (!about)
		return true;
	frr_model_build(about, nullptr, &p->secrets, nullptr, &p->asked);
	memcpy(p->interface, about->mesh_interface, sizeof(p->interface));
	p->asked.model.interface = p->interface;
	return true;
}

static void add_changes(const struct frr_plan *p, const struct frr_view *view, struct ops *ops,
	struct conditions *out)
{
	struct frr_diff diff = {};
	frr_sync_diff(p->config, nullptr, &p->secrets, &p->memory, p->interface, view, &diff);
	frr_ops_add(&diff, &view->running, ops);
	if (p->config)
		frr_conditions_findings(&diff, out);
	frr_diff_clear(&diff);
}

void frr_plan_end(const struct frr_plan *p, const struct frr_view *view, const struct err *why,
	struct ops *ops, struct conditions *out)
{
	frr_conditions_passwords(p->config, &p->secrets, out);
	if (view)
		add_changes(p, view, ops, out);
	else if (p->config)
		frr_conditions_silence(why, out);
}

void frr_plan_clear(struct frr_plan *p)
{
	frr_secrets_clear(&p->secrets);
	frr_built_clear(&p->asked);
	*p = (struct frr_plan){};
}
