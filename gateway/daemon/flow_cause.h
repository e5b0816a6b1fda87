/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * flow_cause: why a flow that was watched failed, from what connection tracking said of it and a
 * glance at this machine.
 *
 * An entry is confirmed when its first packet leaves, behind all filters (nf_conntrack_confirm() at
 * postrouting, or input for this host), so it stands for that packet on its way out. What came
 * back was seen where it came in; whether it went on is told by routes alone.
 */
#include "daemon/flow_track.h"
#include "daemon/server.h"
#include "verdict/verdict.h"

void flow_cause(const struct server_context *c, const struct config *config,
	const struct flow_failure *f, struct verdict *out);

/* The facts that follow from the entry itself. Pure. own: the target is this host. */
void flow_cause_tell(const struct flow_failure *f, bool own, struct evidence *e);
