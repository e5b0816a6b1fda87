/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * prober: runs the rounds that prove.h asks for, and has the gateway do what they decide.
 *
 * For every witness that is asked, two SYNs leave by the network's interface at the same time
 * (net/probe.h). What came of them is looked up with growing pauses until everything is known or
 * the round's time is over. An answer to the mesh range counts only while our table is in place,
 * which is what sees it, and while the kernel would lead a packet from the tunnel to the witness
 * and its answer back into the tunnel; else the probe has failed, and says nothing.
 *
 * It has no loop: whoever owns it calls prober_run() when something happened and when the time
 * that it gave has come. At most PROBER_MAX probes are under way; rounds wait for each other.
 */
#include "daemon/gateway.h"

constexpr size_t PROBER_MAX = 512;

struct prober;

struct prober *prober_new(struct gateway *gateway);
void prober_free(struct prober *p);

/* Ends rounds that are over, looks for answers, begins rounds that are due. Returns when it wants
 * to be called again, 0 = only after an event; *changed: something that is shown has. */
uint64_t prober_run(struct prober *p, uint64_t now_us, bool *changed);

/* A BGP session with this neighbour ended, or seems to have (AF_UNSPEC: with any of them). */
void prober_session_ended(struct prober *p, const struct addr *neighbor, uint64_t now_us);
