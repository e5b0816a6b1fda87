/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * digest: what one dumped nftables object says, as a number.
 *
 * Attributes are hashed as they stand, except those that change without anybody changing the
 * table: handles, use counts, counter values, the owner. The digest of a table is the sum over
 * its objects, so their order does not count; rules, whose order does, bring their place along.
 * It finds edits, it is no defence against somebody who looks for collisions.
 */
#include <libmnl/libmnl.h>
#include <stdint.h>

/* One object: NFT_MSG_NEWTABLE, _NEWCHAIN, _NEWRULE, _NEWSET, _NEWOBJ or _NEWFLOWTABLE. place
 * counts the rules before it, 0 for everything else. */
uint64_t nft_digest_object(const struct nlmsghdr *nlh, uint32_t place);
/* One element (NFTA_LIST_ELEM) of the named set. */
uint64_t nft_digest_element(const char *set, const struct nlattr *elem);
