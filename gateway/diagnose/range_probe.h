/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * range_probe: a packet from an address of the mesh, sent by a socket of this host: the second best
 * where none can be injected at the mesh interface. It meets neither the rules for what enters by
 * the tunnel nor the routing of the way there, but its answer finds its way back like any other,
 * and ends in the table of the diagnosis (nft/diag.h), by its port, which that table gives it: an
 * answer that found its socket would not be forwarded (lib/marks.h).
 */
#include "diagnose/injection.h"

/* Sends it once; of a TCP connection that is its SYN, and no socket stays open. 0, or -errno. */
[[nodiscard]] int range_probe_send(
	const struct flow *flow, const struct injection *in, const char *interface);
