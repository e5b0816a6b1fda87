/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * scope: what a request is limited to: a host or prefix, and a protocol (RFC 9484 4.6).
 *
 * The proxy reads it from the decoded variables of the template; what does not follow the grammar
 * makes the request malformed. A name is only a name here: it is resolved by the owner, before the
 * response (4.1). The protocol is none of the extension headers' (4.8 allows to reject those), so 0
 * is free to mean any.
 */
#include "connip/template.h"
#include "lib/ip.h"

constexpr size_t SCOPE_NAME_MAX = TEMPLATE_VALUE_MAX;

enum scope_kind { SCOPE_ANY, SCOPE_PREFIX, SCOPE_NAME };

struct scope {
	enum scope_kind kind;
	struct prefix prefix;      /* of SCOPE_PREFIX */
	char name[SCOPE_NAME_MAX]; /* of SCOPE_NAME: a reg-name of RFC 3986 */
	uint8_t ipproto;           /* 0 = any */
};

/* -EBADMSG: malformed; -EPROTONOSUPPORT: an extension header's number. */
[[nodiscard]] int scope_read(const struct template_values *values, struct scope *out);
/* The other way, for the client. */
void scope_values(const struct scope *scope, struct template_values *out);
