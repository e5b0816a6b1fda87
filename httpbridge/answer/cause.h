/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * cause: what an HTTP answer says for each code of a verdict (verdict/code.h).
 *
 * Status and error type of Proxy-Status (RFC 9209, 2.3). The bridge gets codes as text from
 * meshgwd and does not link its rooms; a test keeps this table complete over all codes. A newer
 * meshgwd may know codes that are missing here: then what the bridge itself saw decides.
 */
#include <stddef.h>

struct cause {
	const char *code;
	unsigned status;   /* 0: what the bridge itself saw decides status and error */
	const char *error; /* an error type of RFC 9209 */
	bool about_flow;   /* false: names no cause (healthy, recovered, inconclusive): what the
			      bridge itself saw is said then */
};

/* nullptr when there is none of this name. */
const struct cause *cause_find(const char *code);
/* By number, for tests and manuals; nullptr behind the last one. */
const struct cause *cause_at(size_t i);
