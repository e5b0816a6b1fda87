/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * once: what `meshgw` asks of this program when no daemon runs: one plan, taking down, a
 * diagnosis, or a look at the node. The same code as the daemon's, without a loop; the answer is
 * one JSON object on stdout in the form of the varlink method's reply or error.
 */
#include "daemon/kernel.h"
#include "daemon/store.h"

struct once_options {
	const char *config_path; /* what `plan` plans; nullptr = what a start would apply */
	const char *etc_path;
	const char *vtysh; /* nullptr = where FRR's package puts it */
	bool down;         /* plan --down */
};

struct once_diagnosis {
	const char *target, *from; /* as in daemon/diagnoses.h */
	bool passive;
	uint64_t limit_us;
};

/* 0, or 1 when the answer is an error. */
int once_plan(const struct once_options *options, struct kernel *kernel, struct store *store);
int once_diagnose(const struct once_options *options, const struct once_diagnosis *ask,
	struct kernel *kernel, struct store *store);
int once_doctor(const struct once_options *options, struct kernel *kernel, struct store *store);
int once_down(const struct once_options *options, struct kernel *kernel, struct store *store);
