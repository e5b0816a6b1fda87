/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_saved: does FRR's saved configuration hold anything of ours? `write memory` saves what runs,
 * ours included, and FRR's next start brings it back, also after `meshgw down`. This is the one
 * thing for which that file is looked at; what FRR does now is never judged by it.
 */
#include "frr/running.h"

#define FRR_SAVED_FILE "/etc/frr/frr.conf"

/* 1, 0, or -errno: it cannot be read. Debian keeps it closed to all but FRR and root. */
[[nodiscard]] int frr_saved_look(const char *path);
