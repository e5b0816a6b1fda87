/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * api_trace: the varlink interface io.meshgw.Trace, between meshgwd and meshgw-trace.
 *
 * A connection carries one call of Observe, which must be made with "more". The first reply says
 * that the observer looks and that nothing has been injected yet; each further one carries all
 * facts so far, as verdict/fact.h writes them, and the last one says "done". Closing the
 * connection ends everything that was set up for it.
 */
#include <systemd/sd-varlink-idl.h>

#define API_TRACE_INTERFACE "io.meshgw.Trace"
#define API_TRACE_OBSERVE API_TRACE_INTERFACE ".Observe"
#define API_TRACE_SOCKET "/run/meshgw-trace/socket"

constexpr unsigned API_TRACE_DURATION_MAX_MS = 15'000;
constexpr unsigned API_TRACE_INJECTIONS_MAX = 64;
constexpr unsigned API_TRACE_PORTS_MAX = 128;
constexpr unsigned API_TRACE_RANGES_MAX = 64;
constexpr unsigned API_TRACE_LANS_MAX = 16;
constexpr unsigned API_TRACE_FACTS_MAX = 200; /* in a reply */

extern const sd_varlink_interface api_trace_interface;
