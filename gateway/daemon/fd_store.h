/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fd_store: descriptors that systemd keeps for the next meshgwd (FDSTORE=1 of sd_notify(3)),
 * through a restart or a crash, until they are dropped or meshgwd is stopped for good.
 *
 * Without systemd (no NOTIFY_SOCKET) nothing is kept and nothing given.
 */

/* A name has no colons (fdname_is_valid() of systemd). token: for the log. */
void fd_store_keep(const char *token, const char *name, int fd);
void fd_store_drop(const char *token, const char *name);
