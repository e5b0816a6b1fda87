/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * losses: the kernel's packets that reached no peer, by why. Who lets one go counts it, once. What
 * a session refuses is counted there (connip/session.h).
 */
#include <stdint.h>

struct losses {
	uint64_t no_peer; /* nobody was there for it, or came while it waited */
	uint64_t too_big; /* before path MTU discovery was done */
	uint64_t full;    /* a peer's queue, or the place where it would have waited */
	uint64_t broken;  /* a super-packet that made no sense */
};
