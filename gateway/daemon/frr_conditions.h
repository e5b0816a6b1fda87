/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_conditions: what about FRR is not as it should be, from what frr_sync knows. Sessions are
 * judged in frr_sessions.c.
 *
 * FRR goes on naming the reason of some earlier reset when the fault is another one by now. So a
 * reason is believed only while it is young (FRR_REASON_FRESH_MS): FRR tries a session again at
 * least once a minute, and a fault that stands gives its reason anew each time.
 */
#include "daemon/condition.h"
#include "daemon/frr_sync.h"

constexpr uint64_t FRR_REASON_FRESH_MS = 75'000;

/* Name of the configuration for positions in messages. */
#define FRR_CONFIG_NAME "meshgw.yaml"

void frr_conditions_collect(const struct frr_sync *s, struct conditions *out);
/* Without what only time can tell: sessions, and what is sent over them. */
void frr_conditions_taking(const struct frr_sync *s, struct conditions *out);

/* Parts of it, for a plan. */
void frr_conditions_silence(const struct err *why, struct conditions *out);
void frr_conditions_passwords(
	const struct config *config, const struct frr_secrets *secrets, struct conditions *out);
void frr_conditions_findings(const struct frr_diff *diff, struct conditions *out);

/* Sessions and what is sent over them. */
void frr_sessions_collect(const struct frr_sync *s, struct conditions *out);
/* Why this session is not established, for people; nullptr = it is, or nobody knows. The code is
 * the condition to which that belongs. */
const char *frr_session_reason(const struct frr_session *session, enum condition_code *code);
const struct frr_session *frr_session_of(const struct frr_show *show, const struct addr *address);
