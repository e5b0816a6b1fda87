/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * outgoing: collects the evidence about a connection that this host begins itself, as the HTTP
 * bridge's to an upstream.
 *
 *   routes, neighbour, filters ─▶ asked by sockets ─▶ answers, or time over ─▶ spoken to ─▶ facts
 *
 * It is the path of such a connection and no other: nothing is injected, meshgw-trace is not
 * needed, and no interface is chosen for the packets. The table of the diagnosis makes them leave a
 * trace in everybody's filters, on their way out and back. A target that is answered, refused or
 * given up at once is known within some 200 ms; a silent one after a second, a neighbour that is
 * still being asked for at its own end (net/core/neighbour.c, three questions of a second).
 */
#include "diagnose/diagnose.h"

constexpr size_t OUTGOING_MAX = 4; /* at the same time */

struct outgoing;

/* Of the options: prober and trace_socket are not looked at; flow.client is found out. 0, or -EBUSY
 * when OUTGOING_MAX are under way. */
[[nodiscard]] int outgoing_start(
	sd_event *event, const struct diagnose_options *options, struct outgoing **out);
void outgoing_cancel(struct outgoing *o); /* nullptr is allowed */
