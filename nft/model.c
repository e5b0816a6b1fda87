/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/model.h"
#include <assert.h>

static const char *const counter_names[NFT_COUNTERS] = {
	[NFT_COUNTER_FROM_MESH] = "from_mesh",
	[NFT_COUNTER_TO_MESH] = "to_mesh",
	[NFT_COUNTER_MASQUERADED] = "masqueraded",
	[NFT_COUNTER_DENIED] = "denied",
	[NFT_COUNTER_SPOOFED] = "spoofed",
};

const char *nft_counter_str(enum nft_counter c)
{
	assert(c < NFT_COUNTERS);
	return counter_names[c];
}
