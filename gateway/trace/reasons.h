/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reasons: the running kernel's names of its drop reasons.
 *
 * Their numbers change between releases, in the middle of the enum; so the names are read from the
 * kernel's own type information (BTF), and the numbers never leave this process.
 */
#include "lib/err.h"
#include <stdint.h>

struct reasons;

[[nodiscard]] int reasons_read(struct reasons **out, struct err *err);
void reasons_free(struct reasons *r);

/* "NETFILTER_DROP"; "UNKNOWN" for a number without a name. */
const char *reasons_name(const struct reasons *r, uint32_t reason);
