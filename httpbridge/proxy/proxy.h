/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * proxy: all worker threads, seen from the program's main thread.
 *
 * Everything is passed on as a message; nothing waits, but for proxy_free().
 */
#include "route/config.h"

struct proxy;

/* Starts as many threads as config says: a later configuration does not change that. Takes the
 * reference. */
[[nodiscard]] struct proxy *proxy_new(const struct bridge_config *take_config);
/* From now on. Takes the reference. */
void proxy_configure(struct proxy *p, const struct bridge_config *take_config);
/* Listens on these and no others. The descriptors stay the caller's. */
void proxy_listen(struct proxy *p, const int *fds, unsigned n);
/* Takes no more connections and ends the others with their requests; *ended is written to when all
 * have gone, or after the configuration's time. */
void proxy_drain(struct proxy *p, int ended_eventfd);
/* Ends at once what is left, and waits for the threads. */
void proxy_free(struct proxy *p);
