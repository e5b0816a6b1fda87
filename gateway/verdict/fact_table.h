/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fact_table: what there is to know about each kind of fact: its name, its source, its fields.
 * Private to this room.
 */
#include "verdict/fact.h"
#include "verdict/field.h"

struct fact_shape {
	const char *name;   /* "lookup" */
	const char *source; /* "rtnetlink" */
	const struct field *fields;
};
extern const struct fact_shape fact_shapes[FACT_KINDS];

/* All kinds lie at the same place. (Not &f->link: that would be an object of its size.) */
static inline void *fact_base(struct fact *f)
{
	return (char *)f + offsetof(struct fact, link);
}

static inline const void *fact_base_const(const struct fact *f)
{
	return (const char *)f + offsetof(struct fact, link);
}
