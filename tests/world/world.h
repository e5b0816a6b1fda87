/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * world: the daemon without its loop, over a kernel in memory, a state directory of its own and a
 * clock that the test moves. What the loop would do between events is done by world_run(): a pass
 * whenever the last one asked for it.
 *
 * The host is the lab's gw1: eth0 with 10.0.1.11, CloudflareWARP with 100.96.0.18, a default route
 * by the LAN, nothing forwarded yet, somebody else's routes that must stay.
 */
#include "daemon/health.h"
#include "daemon/kernel_dummy.h"
#include "daemon/reload.h"

constexpr int WORLD_LAN = 2;
constexpr int WORLD_MESH = 3;
constexpr uint64_t WORLD_SECOND = 1'000'000;

extern const char world_host[];       /* dummy_load() text */
extern const char world_masquerade[]; /* configurations */
extern const char world_route[];
extern const char world_allow[]; /* as world_masquerade, with an allow list */

struct world {
	struct kernel_dummy *kernel;
	struct gateway gateway;
	struct store *store;
	struct reload reload;
	struct config *config; /* of world_enter() */
	uint64_t now_us;       /* CLOCK_MONOTONIC, CLOCK_BOOTTIME */
	unsigned passes;
	char dir[64], state_dir[80], etc[80];
};

/* host: dummy_load() text. */
void world_init(struct world *w, const char *host);
/* Ends the daemon and removes its directory. */
void world_clear(struct world *w);
/* The daemon's end without a word (kernel and disk stay), and its next start, before a pass. */
void world_restart(struct world *w);

/* For cmocka: *state is a world of its own over world_host. */
int world_setup(void **state);
int world_teardown(void **state);

struct config *world_config(const char *text); /* one that must be right; config_free() */
/* Enters GATEWAY_UP with this configuration, without the life cycle of reload.h. No pass. */
void world_enter(struct world *w, const char *text);
/* A pass now, and one whenever the last asked for it, until nothing is asked for any more or the
 * time is over, to which the clock is then set. Returns when the next one is due, 0 = never. */
uint64_t world_run(struct world *w, uint64_t duration_us);

/* The life cycle's verbs (reload.h) at the world's time; 0, or -errno with a sentence. No pass
 * beyond theirs. */
int world_apply(struct world *w, const char *text, unsigned window_s);
int world_undo(struct world *w);
int world_down(struct world *w);

/* The kernel's state as text, to compare; free(). */
char *world_text(const struct world *w);
/* Whether health shows this condition about this subject (nullptr = any). */
bool world_condition(const struct world *w, enum condition_code code, const char *subject);
/* The disk's side: nothing can be written any more, or again. */
void world_disk_full(bool full);
