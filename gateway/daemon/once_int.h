/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * once_int: how once*.c print their one answer, and with which exit status.
 */
#include "lib/err.h"
#include <systemd/sd-json.h>

/* On stdout; returns status. */
int once_print(sd_json_variant *v, int status);
/* An error of the interface. parameters: nullptr for none. Returns 1. */
int once_print_error(const char *id, sd_json_variant *parameters);
/* One with a message. */
int once_print_failure(const char *id, const struct err *err);
