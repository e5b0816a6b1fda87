/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * access: who may use a route.
 *
 * The source address counts first: who comes from elsewhere does not learn that a token would be
 * asked for. A token is `Authorization: Bearer …` (RFC 6750); where a route asks for one, that
 * field is for the bridge and is not passed on. Every token of the list is compared, all of them
 * over the same number of bytes, so that the time says nothing about them.
 */
#include "route/config.h"
#include <sys/socket.h>

struct http_head;

enum bridge_access {
	BRIDGE_ALLOWED,
	BRIDGE_WRONG_SOURCE,  /* 403 */
	BRIDGE_TOKEN_MISSING, /* 401 */
	BRIDGE_TOKEN_WRONG,   /* 401 with error="invalid_token" */
};

/* Who is at the other end; AF_UNSPEC for a socket without addresses. IPv4 seen through an IPv6
 * socket is IPv4. */
struct addr bridge_peer(const struct sockaddr *sa, uint16_t *port);

enum bridge_access bridge_access_check(
	const struct bridge_route *route, const struct addr *peer, const struct http_head *head);

/* May this source use any route at all? Who may not is told nothing of them. */
bool bridge_source_known(const struct bridge_config *c, const struct addr *peer);

/* The second half alone; with an empty list every request is BRIDGE_TOKEN_MISSING. */
enum bridge_access bridge_token_check(
	const struct bridge_tokens *tokens, const struct http_head *head);
