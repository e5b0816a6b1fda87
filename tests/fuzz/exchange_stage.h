/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * exchange_stage: what stays from input to input: a service's listening socket in a folder of its
 * own, and two configurations of the bridge that lead there, which differ in one route. Made when
 * it is asked for first; gone with the program.
 */
#include "route/config.h"

struct exchange_stage {
	int listener; /* not blocking */
	const struct bridge_config *configs[2];
};

const struct exchange_stage *exchange_stage(void);
