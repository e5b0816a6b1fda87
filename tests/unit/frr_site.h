/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_site: frr_sync over the kernel in memory and an FRR made of text, for its tests. What vtysh
 * would be asked is answered from the fields of struct frr_site; a script that is written leaves
 * in FRR what our own complete configuration is, unless a test wants it otherwise. Time is the
 * test's.
 */
#include "daemon/frr_presence.h"
#include "daemon/frr_sync.h"
#include "world.h"

constexpr unsigned FRR_SITE_SOCKETS = FRR_SOCKET_ZEBRA | FRR_SOCKET_MGMTD | FRR_SOCKET_STATICD |
				      FRR_SOCKET_BGPD | FRR_SOCKET_BFDD;
/* Time enough for FRR to settle, and for what follows. */
constexpr uint64_t FRR_SITE_SETTLE_US = FRR_SETTLE_US + WORLD_SECOND / 2;
/* A configuration with one neighbour. */
extern const char frr_site_bgp[];
/* As `show daemons` prints them. */
extern const char frr_site_daemons[];

struct frr_site {
	struct world w;
	struct frr_sync sync;
	char *ours;          /* what of ours runs, "" = nothing */
	const char *daemons; /* that answer */
	const char *garbage; /* printed instead of everything, nullptr = nothing */
	int error;           /* of each run */
	bool bgpd_lost;      /* bgpd alone knows nothing of ours any more */
	const char *cut_at;  /* what of the next script is taken before vtysh ends */
	bool deaf;           /* takes scripts without a word, and loses them */
	const char *refuses; /* … or with these words of mgmtd's at each of its lines */
	const char *session; /* JSON about the neighbour */
	const char *path;    /* the same about a range */
	unsigned reads, writes, saves;
	bool saved_before_write;
	char script[8192]; /* the last one */
	struct frr_memory saved;
	int save_error;
};

/* *state is the struct frr_site. */
int frr_site_setup(void **state);
int frr_site_teardown(void **state);

/* For frr_sync_init(); arg is the struct frr_site. */
int frr_site_save(void *arg, const struct frr_memory *memory, struct err *err);

void frr_site_set_ours(struct frr_site *s, const char *text);
/* What the loop would do now. */
void frr_site_step(struct frr_site *s);
/* So much time, each moment at which something is due. */
void frr_site_run(struct frr_site *s, uint64_t duration_us);
/* What of FRR is there. */
void frr_site_there(struct frr_site *s, unsigned sockets, uint64_t age_us);
/* FRR has just come. */
void frr_site_present(struct frr_site *s);
void frr_site_configure(struct frr_site *s, const char *text);
/* Configured, present, settled and in place. */
void frr_site_up(struct frr_site *s);

bool frr_site_stands(struct frr_site *s, enum condition_code code);
/* With these words. */
bool frr_site_says(struct frr_site *s, enum condition_code code, const char *words);
