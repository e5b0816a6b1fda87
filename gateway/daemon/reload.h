/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reload: the life of a configuration, from text to "kept".
 *
 *             apply                  confirm, or no window asked for
 *   kept ───────────────▶ pending ───────────────────────────────────▶ kept
 *    ▲                       │ window over, undo, or a crash
 *    └───────────────────────┘
 *
 * A host is often reached through the very path that is being changed, so nothing is kept before
 * it worked: text is parsed and written to disk first, then applied, and only then made the
 * configuration that a start applies, by one rename. A failed apply, and one that nobody confirmed,
 * end with the configuration before, through the same reconciler; so does a crash before that
 * rename, because what a start applies is the last confirmed one.
 *
 * Times are CLOCK_BOOTTIME: a window goes on while the machine sleeps, and no setting of the
 * clock shortens it.
 */
#include "conf/config.h"
#include "daemon/frr_sync.h"
#include "daemon/gateway.h"
#include "daemon/store.h"

/* What the file in /etc was found to be. */
enum reload_file_state {
	RELOAD_FILE_FINE, /* also when nothing runs that it could differ from */
	RELOAD_FILE_DIFFERS,
	RELOAD_FILE_INVALID,
	RELOAD_FILE_UNREADABLE,
	RELOAD_FILE_MISSING,
};

struct reload {
	struct gateway *gateway;
	struct store *store;
	struct state state; /* records live in the gateway; copied in at each save */
	const char *path;   /* of the configuration file in /etc */

	struct config *running;
	char *running_text;
	size_t running_len;

	/* While a change is pending: what to return to. */
	struct config *before;
	char *before_text;
	size_t before_len;
	enum gateway_phase before_phase;
	uint64_t deadline_us; /* 0 = nothing is pending */
	bool unkept;          /* what runs came from the file and could not be written yet */

	enum reload_file_state file;
	char file_problem[256];     /* where it is invalid or unreadable */
	struct timespec file_ctime; /* of the file that was looked into; a new mode counts */
	uint64_t file_inode;
	bool file_seen;
	char kept_problem[256]; /* what is wrong with the confirmed configuration, or "" */
};

/* Borrows all three. path is read by reload_file() and watched by reload_tick(). */
void reload_init(struct reload *r, struct gateway *g, struct store *store, const char *path);
void reload_clear(struct reload *r);

/* Decides what a start applies: nothing after `down`; else the confirmed configuration; else the
 * file, unless it says the same as the change that was undone or not confirmed. Enters the phase;
 * the pass is the caller's. -errno only when the state directory cannot be read. */
[[nodiscard]] int reload_start(struct reload *r, struct err *err);

/* Applies text, including the pass. window_s 0 = keep at once. 0, or
 *   -EINVAL        diags says why (cleared by the caller)
 *   -EBUSY         another change is pending
 *   other          the kernel or the disk refused (err); what was before is back
 * ops is filled with what was done. */
[[nodiscard]] int reload_apply(struct reload *r, const char *text, size_t len, unsigned window_s,
	uint64_t now_us, uint64_t boottime_us, struct ops *ops, struct config_diags *diags,
	struct err *err);
/* The file in /etc, as `systemctl reload` asks. Problems are logged and become conditions. */
void reload_file(struct reload *r, uint64_t now_us, uint64_t boottime_us);

/* -ENOENT: nothing is pending. */
[[nodiscard]] int reload_confirm(struct reload *r, struct err *err);
/* -ENOENT: there is nothing to return to. */
[[nodiscard]] int reload_undo(
	struct reload *r, uint64_t now_us, uint64_t boottime_us, struct ops *ops, struct err *err);
/* Removes everything of ours, also while a change is pending, which is then forgotten. -errno:
 * something could not be removed (err names it). */
[[nodiscard]] int reload_down(
	struct reload *r, uint64_t now_us, uint64_t realtime_us, struct ops *ops, struct err *err);

/* Called every second: ends a window, looks at the file, saves what could not be saved. */
void reload_tick(struct reload *r, uint64_t now_us, uint64_t boottime_us);
/* Seconds left to confirm, rounded up; 0 = nothing is pending. */
unsigned reload_remaining(const struct reload *r, uint64_t boottime_us);
void reload_health(const struct reload *r, struct conditions *out);

/* What is ours in FRR without a mark (store.h); frr_save for who drives FRR, arg is the reload. */
int reload_save_frr(void *arg, const struct frr_memory *memory, struct err *err);
struct frr_memory reload_frr_memory(const struct reload *r);

/* gateway_save for the gateway that this reload drives; arg is the reload. */
int reload_save_records(void *arg, const struct sysctl_records *records, struct err *err);
