/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * marks: the names and numbers by which our kernel state is known. What carries one of them is
 * ours; nothing else is.
 */
#include <stdint.h>

/* rtm_protocol of our routes. No name in iproute2's rt_protos and none in FRR, so zebra treats
 * the route as a foreign kernel route. Named "meshgw" by /etc/iproute2/rt_protos.d/meshgw.conf. */
constexpr uint8_t MARK_RTPROT = 107;

/* Metric of our routes. zebra reads an administrative distance from the top byte of a kernel
 * route's metric: 0xFE is 254, so a static route of FRR's stays best and announced, and ours
 * remains behind it when FRR dies. Not 0xFF, which zebra takes as unreachable. */
constexpr uint32_t MARK_METRIC = 0xFE000000;

/* Family inet, name meshgw. */
#define MARK_NFT_TABLE "meshgw"

constexpr uint32_t MARK_RT_TABLE = 254; /* RT_TABLE_MAIN */

/* The comment of our rules in other programs' tables (key remedies). */
#define MARK_REMEDY "meshgw remedy"
