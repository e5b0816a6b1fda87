/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * version: the IP Version octet of RFC 9484's entries, "either 4 or 6".
 */
#include <netinet/in.h>
#include <stdint.h>

/* AF_UNSPEC when it is neither. */
static inline uint8_t version_family(uint8_t version)
{
	return version == 4 ? AF_INET : version == 6 ? AF_INET6 : AF_UNSPEC;
}

static inline uint8_t version_of(uint8_t family)
{
	return family == AF_INET ? 4 : 6;
}
