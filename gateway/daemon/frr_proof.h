/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_proof: tells prove.h which neighbours were sent the mesh ranges, as FRR said when it was read
 * last. It proves nothing; but where nothing comes back all the same, it says where to look.
 */
#include "daemon/frr_sync.h"
#include "proof/prove.h"

void frr_proof_tell(const struct frr_sync *s, struct prove *p, uint64_t now_us);
