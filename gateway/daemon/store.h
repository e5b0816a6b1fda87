/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * store: what must outlive the process, in /var/lib/meshgw.
 *
 *   confirmed.yaml   the last confirmed configuration: what a start applies
 *   previous.yaml    the one confirmed before it: what `undo` returns to
 *   candidate.yaml   being applied; becomes confirmed.yaml
 *   state.json       taken down?, a change under way?, the sysctls that we changed, and what is
 *                    ours in FRR without a mark
 *
 * Every write is a new file, synced, then renamed: after a crash there is the old content or the
 * new one. Sysctl records are good for one boot only (the boot id is part of the file). A state
 * file that cannot be read is set aside, not obeyed.
 */
#include "daemon/frr_memory.h"
#include "daemon/plan.h"
#include "lib/err.h"

struct store;

struct state {
	bool down;           /* taken down, until the next apply */
	uint64_t down_since; /* CLOCK_REALTIME, microseconds */
	bool applying;       /* candidate.yaml is being applied; if it is gone, it was kept */
	bool pending;        /* it waits for its confirmation */
	bool rolled_back;    /* the last change was not confirmed */
	bool undone;         /* the last change was taken back; as above, candidate.yaml is it */
	struct sysctl_records records;
	struct frr_memory frr;
};

enum store_file { STORE_CONFIRMED, STORE_PREVIOUS, STORE_CANDIDATE };

/* dir must exist and be writable. */
[[nodiscard]] int store_open(const char *dir, struct store **out, struct err *err);
void store_close(struct store *s);

/* An absent file is the empty state. */
[[nodiscard]] int store_load(struct store *s, struct state *out, struct err *err);
[[nodiscard]] int store_save(struct store *s, const struct state *state, struct err *err);
void state_clear(struct state *state);

/* -ENOENT when there is none. *text is NUL-terminated and the caller's to free. */
[[nodiscard]] int store_read_config(
	struct store *s, enum store_file file, char **text, size_t *len, struct err *err);
[[nodiscard]] int store_write_config(
	struct store *s, enum store_file file, const char *text, size_t len, struct err *err);
/* candidate becomes confirmed, in one step; what was confirmed becomes previous, unless it is the
 * same text. */
[[nodiscard]] int store_promote(struct store *s, struct err *err);
