/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * privilege: what the process may do, and may no longer do.
 *
 * meshgwd runs as user meshgw with CAP_NET_ADMIN, and CAP_NET_BIND_SERVICE for the HTTP bridge's
 * sockets, given by its unit as ambient capabilities.
 * Started by root (only `--once`, on behalf of `meshgw down`) it becomes that user first.
 */
#include "lib/err.h"

/* Root becomes `user`, keeping these two alone; anybody else stays who they are. Then the
 * ambient set is cleared, so that no child inherits a capability, and no-new-privileges is set.
 * -errno with a sentence. */
[[nodiscard]] int privilege_settle(const char *user, struct err *err);

/* Is CAP_NET_ADMIN effective? */
bool privilege_net_admin(void);
