/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * diagnose_config: by which configuration a flow is judged: the one that runs; else the last
 * confirmed one; else the file in /etc; else a guess: the ranges that Cloudflare has by default,
 * and the target's own interface and network as the kernel's routes name them. A guess changes
 * nothing: it only says where to look. Without a target (AF_UNSPEC) it is the first interface that
 * could be the LAN's, with the network of its address.
 */
#include "daemon/reload.h"
#include "verdict/evidence.h"

/* *out is the caller's. 0, or -errno with a sentence. */
[[nodiscard]] int diagnose_config(
	const struct reload *reload, const struct flow *flow, struct config **out, struct err *err);
/* Of these, the text of a configuration that somebody wrote; the caller's. -ENOENT = none. */
[[nodiscard]] int diagnose_config_text(const struct reload *reload, char **text, size_t *len);
