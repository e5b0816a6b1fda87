/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kernel_linux: the real kernel of the network namespace that the process runs in. Two sockets
 * for questions and writes: rtnetlink, and nfnetlink, whose socket also owns the nft table and
 * is therefore opened once and closed last.
 */
#include "daemon/kernel.h"

/* 0 and *out (closed with out->ops->close), or -errno; the sentence names what is missing. */
[[nodiscard]] int kernel_linux_open(struct kernel **out, struct err *err);
