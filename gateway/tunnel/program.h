/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * program: the tunnel as meshgwd's servant: what it is told becomes a tunnel; what the tunnel's
 * peers tell is proposed to meshgwd, and how it stands is reported, soon after each change and
 * every few seconds.
 */
#include "lib/err.h"

/* Until it is told to stop. */
[[nodiscard]] int program_run(const char *socket, struct err *err);
