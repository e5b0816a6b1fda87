/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * err: one human sentence beside an errno.
 *
 * A fallible function returns 0 (or a count, or a descriptor) on success and -errno on failure.
 * Where a person must understand the failure it also takes a `struct err *` as its last
 * parameter. The struct lives on the caller's stack: nothing is allocated, nothing is global.
 * The message is built from the inside out, each layer prepending its own words once, so that
 * it reads like a path: "apply: nft: table inet meshgw: Device or resource busy".
 *
 * It does not log: whoever stops propagating an error reports it.
 */

struct err {
	int code; /* positive errno, 0 = no error */
	char msg[240];
};

/* Sets code and message. e may be nullptr. Returns -code; code must be positive. */
[[gnu::format(printf, 3, 4)]] int err_set(struct err *e, int code, const char *fmt, ...);

/* Prepends "<formatted text>: " to the message; truncates at the end. Returns -e->code
 * (-EIO if e is nullptr or carries no code). */
[[gnu::format(printf, 2, 3)]] int err_ctx(struct err *e, const char *fmt, ...);
