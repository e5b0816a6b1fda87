/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * doctor: is this node fit to carry flows of the mesh? Each check of a table looks at facts that
 * need no target (diagnose/collect_node.h) and at the daemon's standing conditions.
 *
 * Pure, like verdict.h. A check is skipped when a check that it rests on failed, or when nobody
 * could look; so one cause shows once. What a check finds has the code that a diagnosis would give
 * it, where there is one.
 */
#include "verdict/code.h"
#include "verdict/evidence.h"

enum doctor_outcome { DOCTOR_PASS, DOCTOR_WARN, DOCTOR_FAIL, DOCTOR_SKIP, DOCTOR_OUTCOMES };
const char *doctor_outcome_str(enum doctor_outcome outcome); /* "pass" */

struct doctor_check {
	const char *name;  /* "return-routes"; stable */
	const char *title; /* what was looked at, for people */
	enum doctor_outcome outcome;
	char reason[FACT_SAYS_LEN]; /* one sentence without a full stop */
	enum code code;             /* CODES = none */
	char remedy[FACT_SAYS_LEN]; /* "" = none */
};

constexpr size_t DOCTOR_CHECKS_MAX = 32;
struct doctor_result {
	struct doctor_check checks[DOCTOR_CHECKS_MAX]; /* in the order of the way */
	size_t n;
};

void doctor_check(const struct evidence *e, struct doctor_result *out);
