/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * host: the name of a host in the one form in which names are compared.
 */
#include <stddef.h>

constexpr size_t HOST_MAX = 256;

/* From a Host field, a name or an address of either family, with or without port and brackets:
 * lower case, without port and the dot at its end; IPv6 in RFC 5952's form within brackets. Returns
 * its length; 0 when it is none. NUL-terminated. */
size_t host_normal(const char *text, size_t len, char out[static HOST_MAX]);
