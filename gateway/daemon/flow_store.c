/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/flow_store.h"
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

bool flow_row_is_shown(const struct flow_row *row)
{
	return row->used && row->decided && !row->dull;
}

void flow_store_clear(struct flow_store *s)
{
	*s = (struct flow_store){};
}

static bool is_about(const struct flow_row *row, const struct flow_failure *f)
{
	return row->used && row->port == f->flow.to_port && row->proto == f->flow.proto &&
	       row->end == f->end && !addr_cmp(&row->target, &f->flow.to);
}

/* A free one, or that which was seen longest ago. */
static struct flow_row *place(struct flow_store *s)
{
	struct flow_row *best = &s->rows[0];

	for (size_t i = 0; i < FLOW_STORE_ROWS; i++) {
		struct flow_row *row = &s->rows[i];
		if (!row->used)
			return row;
		if (row->seen_us < best->seen_us)
			best = row;
	}
	s->evicted++;
	return best;
}

static void begin(struct flow_row *row, const struct flow_failure *f, uint64_t realtime_us)
{
	*row = (struct flow_row){.proto = f->flow.proto,
		.target = f->flow.to,
		.port = f->flow.to_port,
		.end = f->end,
		.used = true,
		.current = true,
		.asked = true,
		.code = CODES,
		.first_us = realtime_us};
}

static void count(
	struct flow_row *row, const struct flow_failure *f, uint64_t now_us, uint64_t realtime_us)
{
	row->last = *f;
	row->count++;
	row->seen_us = now_us;
	row->last_us = realtime_us;
	row->changed = true;
}

void flow_store_add(
	struct flow_store *s, const struct flow_failure *f, uint64_t now_us, uint64_t realtime_us)
{
	struct flow_row *row = nullptr;

	for (size_t i = 0; !row && i < FLOW_STORE_ROWS; i++)
		if (s->rows[i].current && is_about(&s->rows[i], f))
			row = &s->rows[i];
	if (!row) {
		row = place(s);
		begin(row, f, realtime_us);
	}
	count(row, f, now_us, realtime_us);
	row->asked |= row->decided && now_us >= row->decided_us + FLOW_CAUSE_US;
}

static bool comes_first(const struct flow_row *a, const struct flow_row *b)
{
	if (a->decided)
		return a->decided_us < b->decided_us;
	return a->count != b->count ? a->count > b->count : a->seen_us > b->seen_us;
}

static struct flow_row *first_of(struct flow_store *s, bool decided)
{
	struct flow_row *best = nullptr;

	for (size_t i = 0; i < FLOW_STORE_ROWS; i++) {
		struct flow_row *row = &s->rows[i];
		if (row->used && row->asked && row->decided == decided &&
			(!best || comes_first(row, best)))
			best = row;
	}
	return best;
}

struct flow_row *flow_store_next(struct flow_store *s)
{
	bool old = s->turns++ % 2;
	struct flow_row *row = first_of(s, old);
	return row ? row : first_of(s, !old);
}

/* Silence of what may want no answer, for which nothing on this node or near it accounts, is none.
 */
static bool is_dull(const struct flow_row *row, const struct verdict *v)
{
	if (code_row(v->code)->class == CODE_CLASS_HEALTHY || v->code == CODE_NO_TRAFFIC_OBSERVED)
		return true;
	return row->proto != IPPROTO_TCP && v->confidence >= CONFIDENCE_UNDETERMINED;
}

static struct flow_row *other_of(struct flow_store *s, const struct flow_row *row, enum code code)
{
	for (size_t i = 0; i < FLOW_STORE_ROWS; i++) {
		struct flow_row *o = &s->rows[i];
		if (o != row && o->used && o->decided && o->code == code && is_about(o, &row->last))
			return o;
	}
	return nullptr;
}

/* The last failure goes over to a row with the other cause: an older one of that cause, or a new
 * one. */
static struct flow_row *move(struct flow_store *s, struct flow_row *row, enum code code)
{
	struct flow_row *to = other_of(s, row, code);
	struct flow_row from = *row;

	row->current = false;
	row->asked = false;
	row->count -= row->count > 1;
	if (!to) {
		to = place(s);
		begin(to, &from.last, from.last_us);
	}
	to->current = true;
	count(to, &from.last, from.seen_us, from.last_us);
	return to;
}

bool flow_store_decide(struct flow_store *s, struct flow_row *row, const struct verdict *v,
	uint64_t now_us, struct flow_row **shown)
{
	if (row->decided && row->code != v->code)
		row = move(s, row, v->code);
	bool was_shown = flow_row_is_shown(row);

	row->asked = false;
	row->decided = true;
	row->decided_us = now_us;
	row->code = v->code;
	row->confidence = v->confidence;
	row->dull = is_dull(row, v);
	row->changed = true;
	snprintf(row->summary, sizeof(row->summary), "%s", v->summary);
	*shown = row;
	return !was_shown && flow_row_is_shown(row);
}
