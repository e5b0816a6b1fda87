/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fact_command: the shell command that shows what a fact says, where there is one. Knowing the
 * flow, it can show more of them (the target of a probe). Private to this room.
 */
#include "verdict/evidence.h"

/* As fact_command(); flow may be nullptr. */
const char *fact_command_for(
	const struct fact *f, const struct flow *flow, char buf[static FACT_SAYS_LEN]);
