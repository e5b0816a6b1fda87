/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * give_up: the end of all privileges.
 */
#include "lib/err.h"

/* No capability in any set but the bounding one, and no-new-privileges, so that none comes back,
 * not by execve(2) either. -errno with a sentence; the caller must end then. */
[[nodiscard]] int give_up_privileges(struct err *err);
