/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tunnel_wish: an operator's wish for another active replica, on its way to the tunnel and back.
 *
 *   EdgePromote ──▶ wish ──▶ TunnelAttach's next reply ──▶ tunnel ──▶ TunnelReport ──▶ answer
 *
 * There is one at a time. It is a part of everything that is told until it is answered, so that it
 * is lost neither with a link nor behind a reader that is slow; by its id the tunnel knows what it
 * has done already. Its caller waits at most TUNNEL_WISH_US.
 */
#include "lib/err.h"
#include <systemd/sd-event.h>
#include <systemd/sd-varlink.h>

/* Below the client's own patience of 10 s. */
constexpr uint64_t TUNNEL_WISH_US = 5'000'000;

/* Embedded; all zero = there is none. */
struct tunnel_wish {
	sd_varlink *link; /* of the caller; nullptr = nobody waits */
	void *client;
	sd_event_source *deadline;
	uint64_t id; /* of the last one; they grow, over restarts, too */
	char *node, *replica, *before;
};

struct tunnel_wish_words {
	const char *node, *replica;
	const char *before; /* who is active now, "" = nobody */
};
/* -EBUSY: there is one. */
[[nodiscard]] int tunnel_wish_begin(struct tunnel_wish *p, sd_varlink *link, void *client,
	const struct tunnel_wish_words *words);
/* What is told to the tunnel, a new reference; nullptr = there is none. */
sd_json_variant *tunnel_wish_json(const struct tunnel_wish *p);
/* The tunnel's answer, to be ignored if it is to another wish. */
void tunnel_wish_end(struct tunnel_wish *p, uint64_t id, const char *result);
/* There is no tunnel (any more). */
void tunnel_wish_fail(struct tunnel_wish *p);
/* Lets go of the caller without an answer. */
void tunnel_wish_clear(struct tunnel_wish *p);

/* A reply of NotPromoted. */
[[gnu::format(printf, 3, 4)]] int tunnel_wish_refuse(
	sd_varlink *link, const char *reason, const char *fmt, ...);
