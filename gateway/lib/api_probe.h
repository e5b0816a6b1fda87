/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * api_probe: the varlink interface io.meshgw.Probe, between meshgwd and meshgw-probe.
 *
 * A connection carries one call. Its answer holds facts as verdict/fact.h writes them, of kinds l7
 * and missing.
 */
#include <systemd/sd-varlink-idl.h>

#define API_PROBE_INTERFACE "io.meshgw.Probe"
#define API_PROBE_ASK API_PROBE_INTERFACE ".Ask"
#define API_PROBE_RESOLVE API_PROBE_INTERFACE ".Resolve"
#define API_PROBE_SOCKET "/run/meshgw-probe/socket"

constexpr unsigned API_PROBE_TIMEOUT_MAX_MS = 15'000;
constexpr unsigned API_PROBE_CA_MAX = 256 * 1024;
constexpr unsigned API_PROBE_ADDRESSES_MAX = 16; /* in a reply */

extern const sd_varlink_interface api_probe_interface;
