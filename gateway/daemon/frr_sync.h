/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_sync: makes FRR hold what the configuration says, and keeps it so.
 *
 *                     due              differs            taken, or not
 *   OFF, ABSENT, REST ───▶ READING ──────────────▶ WRITING ─────────────▶ READING (back)
 *         ▲                   │ as wanted, or no answer                      │
 *         └───────────────────┴──────────────────────────────────────────────┘
 *
 * Truth is what FRR's running configuration says when it is read; what vtysh answers to a script is
 * kept only to say why something is missing. A difference that stays is tried again with growing
 * pauses; one that somebody else keeps making is contested, with long ones. Nothing here touches
 * the kernel's part, and no trouble with FRR undoes it.
 *
 * It has no loop, no child and no socket: frr_driver.h feeds it events, time (CLOCK_MONOTONIC,
 * microseconds) and what vtysh printed. Its end changes nothing in FRR (fail-static).
 *
 * Where nothing is configured and nothing of ours was ever written, no vtysh is ever started.
 */
#include "daemon/frr_md5.h"
#include "daemon/frr_memory.h"
#include "daemon/frr_password.h"
#include "daemon/frr_presence.h"
#include "daemon/frr_routes.h"
#include "daemon/frr_view.h"
#include "daemon/gateway.h"

constexpr uint64_t FRR_SOON_US = 10'000;           /* gathers what belongs together */
constexpr uint64_t FRR_SETTLE_US = 1'500'000;      /* since FRR's daemons started */
constexpr uint64_t FRR_LOSS_US = 2'000'000;        /* frr-reload takes seconds to take away */
constexpr uint64_t FRR_SETTLE_DOWN_US = 3'000'000; /* the same, when only what is ours counts */
constexpr uint64_t FRR_LINK_US = 3'000'000;        /* after an interface came or went */
constexpr uint64_t FRR_SESSION_NEW_MS = 10'000;    /* a younger session may still send */
constexpr uint64_t FRR_WATCH_US = 10'000'000;      /* after something was written */
constexpr uint64_t FRR_POLL_US = 10'000'000;       /* what an admin types at our neighbours */
constexpr uint64_t FRR_POLL_MIN_US = 1'000'000;    /* while a session is missing; doubles … */
constexpr uint64_t FRR_POLL_MAX_US = 10'000'000;
constexpr unsigned FRR_POLL_STEP = 4; /* … after so many */
constexpr uint64_t FRR_RETRY_US = 1'000'000;
constexpr uint64_t FRR_RETRY_MAX_US = 30'000'000;
constexpr unsigned FRR_FIGHT_REPAIRS = 5; /* within … */
constexpr uint64_t FRR_FIGHT_US = 300'000'000;
constexpr uint64_t FRR_FIGHT_PAUSE_US = 60'000'000;
constexpr size_t FRR_REFUSALS_MAX = 16;

enum frr_state {
	FRR_OFF,    /* nothing to do */
	FRR_ABSENT, /* not installed, or its daemons do not run */
	FRR_REST,
	FRR_READING,
	FRR_WRITING,
};

typedef int (*frr_save)(void *arg, const struct frr_memory *memory, struct err *err);

/* A line that FRR did not take. */
struct frr_refused {
	struct frr_mark mark;
	char line[160], why[200];
};

/* Where statics of ours may be: known after their configuration is gone, until they are gone too.
 */
struct frr_past {
	char interface[IFNAMSIZ];
	struct frr_static *statics;
	size_t n;
};

struct frr_sync {
	const struct gateway *gateway;
	struct frr_memory memory, kept; /* kept: as far as it is on disk */
	frr_save save;
	void *save_arg;

	enum frr_state state;
	bool installed;
	unsigned sockets;                 /* enum frr_socket */
	unsigned closed;                  /* those that we may not use */
	const struct config *config;      /* with bgp; nullptr = none */
	bool removing;                    /* nothing of ours shall remain */
	bool removed;                     /* nothing does, since FRR came last */
	uint64_t entered;                 /* of the gateway, when config was taken from it */
	uint64_t frr_losses, link_events; /* of the gateway, as seen last */
	uint64_t look_until_us;           /* an interface changed: look again then */
	struct frr_secrets secrets;
	struct frr_routes routes;
	struct frr_past past;

	uint64_t due_us;        /* when to read next, 0 = at no time */
	uint64_t not_before_us; /* pauses after failures and in a fight */
	bool write_now, read_now;
	bool read_back; /* the reading follows a writing */
	struct frr_call call;
	struct frr_built asked; /* the model that the reading asks about */

	bool settled;   /* an attempt at the present configuration has come to its end */
	bool in_place;  /* the last reading showed nothing to change */
	bool expected;  /* the next difference is nobody's fault */
	bool restarted; /* FRR came or went since the last reading */
	bool contested;
	bool heard_end; /* of a session that stood */
	uint64_t watch_until_us;
	unsigned failures, polls, false_ends; /* in a row; since something changed */
	uint64_t repairs[FRR_FIGHT_REPAIRS];
	unsigned n_repairs;

	struct frr_md5 md5; /* counters as seen last, and when they grew */
	uint64_t md5_us, md5_wrong_us, md5_unexpected_us;

	struct frr_view view; /* what was read last; empty when FRR did not answer */
	uint64_t view_us;     /* when; 0 = never */
	struct frr_diff diff; /* what was to change then */
	struct ops ops;       /* what was written since the configuration changed */
	struct frr_refused refused[FRR_REFUSALS_MAX]; /* of the last script */
	size_t n_refused;
	int write_error;    /* of the last script: why vtysh did not end by itself */
	struct err problem; /* why FRR could not be read or written, code 0 = it could */
};

void frr_sync_init(struct frr_sync *s, const struct gateway *gateway, frr_save save, void *arg);
void frr_sync_clear(struct frr_sync *s);

/* Has the gateway entered a phase of which this does not know yet? */
bool frr_sync_stale(const struct frr_sync *s);
/* After each pass, and before anything else whenever the gateway may have another configuration. */
void frr_sync_kernel(struct frr_sync *s, uint64_t now_us);
/* Where statics of ours may be, of a configuration that ran before this process. */
void frr_sync_remember(struct frr_sync *s, const struct config *config);
/* What there is of FRR. event: something came or went, even if it looks the same. */
void frr_sync_presence(
	struct frr_sync *s, const struct frr_there *there, bool event, uint64_t now_us);
/* What the kernel counts, before each frr_sync_done(). */
void frr_sync_md5(struct frr_sync *s, const struct frr_md5 *now, uint64_t now_us);
/* A packet on the wire looked like the end of a session. Where none stood, that is no news. */
void frr_sync_ended(struct frr_sync *s, const struct addr *neighbor, uint64_t now_us);
/* Something about FRR may have changed: look soon. */
void frr_sync_poke(struct frr_sync *s, uint64_t now_us);

/* Is there a run of vtysh to begin? Then *request is it, good until frr_sync_done(). */
bool frr_sync_next(struct frr_sync *s, uint64_t now_us, struct vtysh_request *request);
/* What became of it. */
void frr_sync_done(struct frr_sync *s, const struct vtysh_result *result, uint64_t now_us);
/* Is a run wanted that has begun? When not, a child is to be ended without its result. */
bool frr_sync_busy(const struct frr_sync *s);
/* When to ask frr_sync_next() again, 0 = after the next event. */
uint64_t frr_sync_wake(const struct frr_sync *s);

/* What leads from what was seen to a configuration (nullptr: nothing of ours is left). *out, empty
 * or not, is replaced; interface: where statics of ours are that only zebra knows. */
void frr_sync_diff(const struct config *config, const bool *announce,
	const struct frr_secrets *secrets, const struct frr_memory *memory, const char *interface,
	const struct frr_view *view, struct frr_diff *out);
