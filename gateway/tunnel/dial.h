/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * dial: one attempt of a connector to reach an edge: its address, the name it is called by, and the
 * request, as the configuration has them; and what is asked for once that is accepted.
 */
#include "role.h"

constexpr size_t DIAL_WHO = 64;

/* The edge at this place of the list by its name, or "198.51.100.1:443". True: it has a name. */
bool dial_name(const struct role_host *host, size_t at, char who[static DIAL_WHO]);
/* *stream is the request's. */
[[nodiscard]] int dial_edge(
	const struct role_host *host, size_t at, struct quic_stream **stream, struct err *err);
/* The lane of an accepted request. */
struct lane *dial_open_lane(
	const struct role_host *host, struct quic_stream *stream, const char *who);
/* Why an attempt came to nothing, as a trouble; and that there is none any more. */
void dial_complain(const struct role_host *host, const char *who, const struct quic_closed *why);
void dial_content(const struct role_host *host, const char *who);
