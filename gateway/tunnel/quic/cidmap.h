/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * cidmap: which connection a connection ID belongs to.
 *
 * A hash table with a secret key (SipHash-1-3): an ID may have been chosen by a stranger, and so
 * may be made to meet others in one chain otherwise. Entries belong to the map and hang on a list
 * of their owner too, so that all of an owner's go at once.
 *
 * The same map holds stateless reset tokens of peers, which are looked up by their hash and hence
 * not compared byte by byte with secrets (RFC 9000 s10.3.1).
 */
#include <stddef.h>
#include <stdint.h>

constexpr size_t QUIC_CID_MAX = 20;

struct quic_connection;
struct quic_cidmap;
struct quic_cid_entry;

/* Embedded in the owner; {} is empty. */
struct quic_cid_list {
	struct quic_cid_entry *first;
};

struct quic_cidmap *quic_cidmap_new(const uint64_t key[static 2]);
/* All lists have been cleared. */
void quic_cidmap_free(struct quic_cidmap *m);

/* False: it is there already, whoever owns it. */
[[nodiscard]] bool quic_cidmap_add(struct quic_cidmap *m, struct quic_cid_list *list,
	struct quic_connection *owner, const uint8_t *id, size_t n);
struct quic_connection *quic_cidmap_find(const struct quic_cidmap *m, const uint8_t *id, size_t n);
/* Nothing happens unless it is one of the list's. */
void quic_cidmap_remove(
	struct quic_cidmap *m, struct quic_cid_list *list, const uint8_t *id, size_t n);
void quic_cidmap_clear(struct quic_cidmap *m, struct quic_cid_list *list);
