/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/track.h"
#include "lib/xmalloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct track *track_find(const struct tracks *tracks, const char *name)
{
	for (size_t i = 0; i < tracks->n; i++)
		if (!strcmp(tracks->list[i].name, name))
			return &tracks->list[i];
	return nullptr;
}

struct track *track_get(struct tracks *tracks, const char *name)
{
	for (size_t i = 0; i < tracks->n; i++)
		if (!strcmp(tracks->list[i].name, name))
			return &tracks->list[i];
	XGROW(tracks->list, tracks->n, tracks->cap);
	struct track *t = &tracks->list[tracks->n++];
	*t = (struct track){};
	snprintf(t->name, sizeof(t->name), "%s", name);
	return t;
}

uint64_t track_pause_us(unsigned failures)
{
	uint64_t pause = TRACK_RETRY_US;
	while (--failures && pause < TRACK_RETRY_MAX_US)
		pause *= 2;
	return pause;
}

bool track_due(const struct track *t, uint64_t now_us)
{
	return now_us >= t->retry_us;
}

static bool fighting(const struct track *t, uint64_t now_us)
{
	if (t->n_repairs < TRACK_FIGHT_REPAIRS)
		return false;
	uint64_t oldest = t->repairs[t->n_repairs % TRACK_FIGHT_REPAIRS];
	return now_us - oldest < TRACK_FIGHT_US;
}

/* Once contested, every further repair lengthens the pause. */
static void note_repair(struct track *t, uint64_t now_us)
{
	t->repairs[t->n_repairs++ % TRACK_FIGHT_REPAIRS] = now_us;
	if (t->contested)
		t->pause_us = t->pause_us * 2 < TRACK_PAUSE_MAX_US ? t->pause_us * 2
								   : TRACK_PAUSE_MAX_US;
	else if (fighting(t, now_us))
		t->pause_us = TRACK_PAUSE_US;
	else
		return;
	t->contested = true;
	t->retry_us = now_us + t->pause_us;
}

void track_success(struct track *t, bool repaired, uint64_t now_us)
{
	t->installed = true;
	t->error = 0;
	t->failures = 0;
	t->reason[0] = '\0';
	t->retry_us = 0;
	if (repaired)
		note_repair(t, now_us);
}

void track_failure(struct track *t, int error, const char *reason, uint64_t now_us)
{
	t->installed = false;
	t->error = error;
	snprintf(t->reason, sizeof(t->reason), "%s", reason);
	t->retry_us = now_us + track_pause_us(++t->failures);
}

void track_forgive(struct track *t)
{
	if (!t->error)
		return;
	t->error = 0;
	t->failures = 0;
	t->reason[0] = '\0';
	t->retry_us = 0;
}

void track_settle(struct track *t, uint64_t now_us)
{
	if (!t->contested)
		return;
	uint64_t latest = t->repairs[(t->n_repairs - 1) % TRACK_FIGHT_REPAIRS];
	if (now_us - latest < TRACK_FIGHT_US)
		return;
	t->contested = false;
	t->n_repairs = 0;
	t->pause_us = 0;
}

void track_uproot(struct tracks *tracks, int ifindex)
{
	for (size_t i = 0; i < tracks->n; i++) {
		struct track *t = &tracks->list[i];
		if (t->ifindex == ifindex)
			t->installed = false;
		if (!t->contested)
			t->retry_us = 0;
	}
}

void tracks_clear(struct tracks *tracks)
{
	free(tracks->list);
	*tracks = (struct tracks){};
}
