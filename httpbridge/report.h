/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * report: tells meshgwd what became of what it said: served, or refused and why.
 *
 * Only the newest one counts. It is told again until meshgwd has taken it, or is asked to stop.
 */
#include <stdint.h>
#include <systemd/sd-event.h>

struct report;

/* socket is borrowed. */
[[nodiscard]] struct report *report_new(sd_event *event, const char *socket);
void report_free(struct report *r); /* nullptr is allowed */
/* refusal: nullptr = it is served. */
void report_tell(struct report *r, uint64_t generation, const char *refusal);
/* meshgwd is gone; the next one will say something itself. */
void report_stop(struct report *r);
