/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * lone: comes what comes one at a time?
 *
 * Who reads until there is nothing makes a call that finds nothing. Where so many looks in a row
 * have found just one, that call is left out, but for every LONE_LOOKS-th time: the loop waits for
 * the descriptor, not for its change, and is told at once of what is left. Where more comes all of
 * a sudden, fewer than LONE_LOOKS turns bring one each.
 *
 * Pure: no descriptor, no clock.
 */

constexpr unsigned LONE_LOOKS = 8;

/* Zero at first. */
struct lone {
	unsigned found; /* looks in a row that found just one */
};

/* Is one read enough? */
[[nodiscard]] static inline bool lone_expected(const struct lone *l)
{
	return l->found >= LONE_LOOKS && l->found % LONE_LOOKS != 0;
}

/* One is what was found, as far as was looked. */
static inline void lone_note(struct lone *l, bool one)
{
	l->found = one ? l->found + 1 : 0;
}
