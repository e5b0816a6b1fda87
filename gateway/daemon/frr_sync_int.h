/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_sync_int: what the files of the machine share: frr_sync.c (events and runs) and
 * frr_sync_judge.c (what a reading leads to).
 */
#include "daemon/frr_sync.h"

/* To be read then at the latest. */
void frr_sync_due(struct frr_sync *s, uint64_t at_us);
/* Where it stands while no child runs. */
void frr_sync_rest(struct frr_sync *s, const char *why);
/* us, doubled so many times, at most max. */
uint64_t frr_sync_doubled(uint64_t us, unsigned times, uint64_t max);
/* The end of a reading: at rest again, or s->write_now. */
void frr_sync_judge(struct frr_sync *s, const struct vtysh_result *result, uint64_t now_us);
