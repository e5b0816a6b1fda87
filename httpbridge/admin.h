/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * admin: the socket on which the bridge shows its statistics, as the key bridge.admin names it.
 *
 * The bridge opens it by itself: it is local, and needs no privilege.
 */
#include "lib/err.h"

/* "127.0.0.1:9596", "[::1]:9596" or "unix:/path". A descriptor that listens, or -errno. */
[[nodiscard]] int admin_open(const char *where, struct err *err);
