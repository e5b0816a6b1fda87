/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * budget: how often a source may ask for something that costs us, such as a diagnosis.
 *
 * A bucket of tokens for each source, IPv6 by its /64, in a table of fixed size: sources that ask
 * no more are forgotten for others. Of one thread; time is given.
 */
#include "lib/ip.h"

struct budget;

/* burst questions at once, and one more each interval_us. */
[[nodiscard]] struct budget *budget_new(unsigned burst, uint64_t interval_us);
void budget_free(struct budget *b); /* nullptr is allowed */
/* false: it has to wait. */
bool budget_take(struct budget *b, const struct addr *source, uint64_t now_us);
