/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * legacy: are there tables of iptables-legacy in this network namespace? nftables shows nothing of
 * them, and asking the kernel about one that is not there would create it. The list of their names
 * is readable for root alone (net/netfilter/x_tables.c, xt_proto_init()), so it is opened by
 * somebody else: systemd (OpenFile= in the unit), or the process before it gives root up. Without
 * it only their absence can be known, from the kernel's list of modules.
 */
#include <stddef.h>
#include <stdint.h>

enum nft_legacy { NFT_LEGACY_NONE, NFT_LEGACY_PRESENT, NFT_LEGACY_UNKNOWN };

/* Takes a descriptor of the list for the life of the process. */
void nft_legacy_keep(uint8_t family, int fd);
/* Opens the lists and keeps them, where this process may. */
void nft_legacy_open(void);

/* family: AF_INET, AF_INET6. names: of the tables, with blanks between them; of UNKNOWN, modules
 * that are loaded, for this namespace or for another. proc: where proc(5) is, "/proc". */
constexpr size_t NFT_LEGACY_LEN = 64;
enum nft_legacy nft_legacy_read(
	const char *proc, uint8_t family, char names[static NFT_LEGACY_LEN]);
