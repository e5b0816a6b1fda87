/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sum: the Internet checksum (RFC 1071) at the speed of memory.
 *
 * Words are added as they lie in memory, whatever this machine's byte order: a folded sum is stored
 * with memcpy and is right on the wire (RFC 1071 section 2, B). All parts of a sum but the last
 * have an even length. Over bytes that hold their right checksum a sum folds to 0xffff.
 */
#include <stddef.h>
#include <stdint.h>

uint64_t sum_add(uint64_t sum, const void *data, size_t n);

/* Sums what it copies. */
uint64_t sum_copy(uint64_t sum, void *to, const void *from, size_t n);

/* A word in host order. */
uint64_t sum_add16(uint64_t sum, uint16_t word);

/* The pseudo header of RFC 9293 section 3.1 and RFC 8200 section 8.1: `addresses` are the source
 * and the destination, one behind the other, as in an IP header; n is their length together. */
uint64_t sum_pseudo(const void *addresses, size_t n, uint8_t proto, size_t length);

/* 16 bits, not inverted. */
uint16_t sum_fold(uint64_t sum);

/* Folded and inverted, into its place. */
void sum_store(uint64_t sum, uint8_t *at);

/* The same, but never 0, which means "no checksum" in UDP (RFC 768). Both are the same number. */
void sum_store_udp(uint64_t sum, uint8_t *at);
