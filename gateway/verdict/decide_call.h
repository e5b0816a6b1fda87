/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * decide_call: single flows of callers (FACT_CALL), where facts about packets count all together:
 * one that goes on hides one that hangs. Only those of the range that is meant count; others may be
 * treated otherwise. Private to this room.
 */
#include "verdict/decide_view.h"

/* So much is no head of an answer, and does not go into one small packet. */
constexpr int64_t CALL_LARGE = 1000;

/* How a call fares, and what it waits for. */
enum call_state {
	CALL_NEW,      /* not answered, and hardly old enough to be */
	CALL_SILENT,   /* asks again and is not answered */
	CALL_DEAF,     /* is answered, and asks again as if it were not */
	CALL_STUCK,    /* has had answers; what was sent last is repeated and does not arrive */
	CALL_UNSERVED, /* connected, as it thinks; its words are not taken, the beginning is
			  repeated */
	CALL_WAITING,  /* its words were taken and nothing is said */
	CALL_LEFT,     /* ended without an answer to its words */
	CALL_WELL,     /* answered, and got it; or it ended itself */
};

enum call_state call_state_of(const struct view *v, const struct fact_call *c);
/* The next of this state behind *at; begin with 0. */
const struct fact *call_next(const struct view *v, enum call_state state, size_t *at);
/* The first of this state; nullptr = there is none. */
const struct fact *call_in(const struct view *v, enum call_state state);
/* How many there are of this state. */
size_t call_count(const struct view *v, enum call_state state);
/* One of the range that is meant; nullptr: nothing is told of calls. */
const struct fact *calls_known(const struct view *v);
/* One of which something came from the caller; else the target repeats itself. */
const struct fact *call_heard_of(const struct view *v);
/* One has acknowledged something. */
const struct fact *call_hears(const struct view *v);
/* How many were answered and have not said so. */
size_t calls_unheard(const struct view *v);
/* One has had this many bytes of an answer. */
const struct fact *call_took(const struct view *v, int64_t bytes);
/* One could say this many bytes, and was heard. */
const struct fact *call_gave(const struct view *v, int64_t bytes);
/* One waits for something that does not come. */
bool calls_suffer(const struct view *v);
/* Packets of the mesh were told of, and none of them is of the range that is meant. */
bool calls_are_others(const struct view *v);
