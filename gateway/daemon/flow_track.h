/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * flow_track: which flows of the mesh come about, as far as connection tracking tells. Events in,
 * failures out; no kernel, no clock.
 *
 *   TCP          SYN_SENT ──▶ … ──▶ ESTABLISHED              came about: forgotten
 *                no answer for FLOW_TCP_US                   silent
 *                an answer, and not ESTABLISHED then         stuck
 *                ended before any answer                     refused: a RST ends the entry
 *                                                            (nf_conntrack_proto_tcp.c)
 *                its entry deleted by a program              unknown: forgotten
 *   UDP, echo    an answer                                   came about
 *                none for FLOW_UDP_US                        silent, and perhaps no failure:
 *                                                            much of UDP wants no answer
 *
 * A flow that a RST ends after its service has answered came about: port scans and impatient
 * callers do so. Only flows whose beginning was heard are followed. The table is a cache of fixed
 * size: a new flow takes the place of the oldest of its row, which is counted and not judged.
 */
#include "net/ct_events.h"

constexpr uint64_t FLOW_TCP_US = 3'000'000;
constexpr uint64_t FLOW_UDP_US = 5'000'000;
constexpr size_t FLOW_ROWS = 1024;
constexpr size_t FLOW_WAYS = 4;

enum flow_end { FLOW_SILENT, FLOW_STUCK, FLOW_REFUSED };

/* A flow that failed. */
struct flow_failure {
	struct ct_flow flow;
	enum flow_end end;
	uint32_t status; /* IPS_… of its entry */
	uint8_t tcp_state;
	struct addr reply_to; /* where answers are expected */
};
typedef void (*flow_failed_cb)(const struct flow_failure *f, void *arg);

struct flow_track;

struct flow_track *flow_track_new(void);
void flow_track_free(struct flow_track *t); /* nullptr is allowed */

/* A flow of the mesh; the caller has chosen them. */
void flow_track_event(struct flow_track *t, enum ct_event what, const struct ct_entry *e,
	uint64_t now_us, flow_failed_cb failed, void *arg);
/* Those whose time is over. */
void flow_track_expire(struct flow_track *t, uint64_t now_us, flow_failed_cb failed, void *arg);

/* Events were lost: of no flow under way is known any more what became of it. */
void flow_track_forget(struct flow_track *t);

size_t flow_track_count(const struct flow_track *t);     /* under way */
uint64_t flow_track_crowded(const struct flow_track *t); /* given up for another */
uint64_t flow_track_forgotten(const struct flow_track *t);
