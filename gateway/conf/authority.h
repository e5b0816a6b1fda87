/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * authority: "HOST" or "HOST:PORT", where HOST is a name, an IPv4 address, or an IPv6 address in
 * brackets (RFC 3986 section 3.2).
 *
 * Stricter than the RFC: a name consists of labels of letters, digits, '-' and '_', and does not
 * end in a number, so that no reader takes it for an address.
 */
#include "lib/ip.h"

constexpr size_t NAME_STRLEN = 254;                  /* RFC 1035 section 2.3.4 */
constexpr size_t AUTHORITY_STRLEN = NAME_STRLEN + 8; /* brackets and a port */

struct authority {
	char host[NAME_STRLEN]; /* canonical: lower case, an address without brackets */
	struct addr address;    /* AF_UNSPEC: a name */
	uint16_t port;          /* 0: none */
};

/* What is wrong with the text, to follow "it " ("has no host"), or nullptr and *out. */
const char *authority_parse(const char *text, struct authority *out);
/* The canonical text into buf of AUTHORITY_STRLEN, which is returned. */
const char *authority_str(const struct authority *authority, char *buf);
/* The same judgement of a name alone. */
const char *name_fault(const char *name);
