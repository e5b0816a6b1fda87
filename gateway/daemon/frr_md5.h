/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_md5: segments that this network namespace dropped over their MD5 signature (RFC 2385). FRR
 * never hears of them, so these counters are the only sign of passwords that differ. They belong to
 * no connection: that they grow says nothing about which.
 */
#include <stdint.h>

struct frr_md5 {
	uint64_t wrong;      /* a signature that is missing or differs, where one is asked for */
	uint64_t unexpected; /* one where none is asked for */
};

/* From the text of /proc/net/netstat; what is not in it is 0. */
void frr_md5_read(const char *text, struct frr_md5 *out);
/* false: the file cannot be read. */
bool frr_md5_look(struct frr_md5 *out);
