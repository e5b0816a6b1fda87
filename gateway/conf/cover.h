/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * cover: a set of prefixes, asked for those around another one or inside it.
 *
 * Filled by cover_add(), ready after cover_finish(); a query costs log n. Prefixes that touch are
 * not joined: what spans two of them is inside neither.
 */
#include "lib/ip.h"

struct cover {
	struct prefix *list; /* owned; room for as many as are added */
	size_t n;
	bool complete; /* every one that was added could be read */
};

/* For at most max prefixes. */
struct cover cover_new(size_t max);
void cover_clear(struct cover *cover);

/* AF_UNSPEC stands for a prefix that could not be read. */
void cover_add(struct cover *cover, const struct prefix *p);
void cover_finish(struct cover *cover);
bool cover_has(const struct cover *cover, const struct prefix *p);
/* The first member that lies inside p or is p, or nullptr. */
const struct prefix *cover_inside(const struct cover *cover, const struct prefix *p);
/* A member that contains p or lies inside it, or nullptr. */
const struct prefix *cover_overlap(const struct cover *cover, const struct prefix *p);
