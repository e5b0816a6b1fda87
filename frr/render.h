/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * render: a model as a complete frr.conf.
 *
 * For a machine whose FRR has no other work (`meshgw frr render`): the same objects, in the same
 * spelling, that diff.h brings into a running FRR. FRR accepts it (`vtysh -C -f`) and, having read
 * it, shows the same statements.
 */
#include "frr/script.h"

/* Without passwords a comment stands where one belongs. */
void frr_render(const struct frr_model *model, bool passwords, struct frr_script *out);
