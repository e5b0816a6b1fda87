/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * hung: ends a meshgwd that does not answer, so that `down` can do its work without it.
 *
 * The one who is ended must be shown to be meshgwd: its pid stands in the lock file, the lock is
 * held, and the process runs the program of that name. A pidfd, opened before these checks,
 * keeps the pid from becoming somebody else's. SIGKILL, since who hangs reads no signal; that is
 * safe, because a crash of meshgwd leaves the kernel's state as it was.
 */
#include "cli/failure.h"

#define HUNG_LOCK "/run/meshgw/meshgwd.lock"

/* EXIT_DONE when the process has ended. */
enum exit_status hung_end(struct failure *f);
