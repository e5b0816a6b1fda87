/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fix_int: what the files that plan repairs share.
 */
#include "daemon/fix.h"
#include <stdio.h>

#define FIX_PUT(field, text) \
	snprintf((field), sizeof(field), "%.*s", (int)sizeof(field) - 1, (text))

struct fix_subject {
	const struct verdict *v;
	const struct evidence *e;
	struct prefix range, network; /* of the flow: those of the configuration, else its ends */
	char mesh[IFNAMSIZ], lan[IFNAMSIZ];
};

/* Of the verdict; "" = it has none of this name. */
const char *fix_attribute(const struct fix_subject *s, const char *name);
/* -EOPNOTSUPP. */
int fix_refuse(struct err *err, const char *why);

/* fix_filter.c: planners (fix.c) of what filters drop. */
int fix_plan_forward(const struct fix_subject *s, struct fix *out, struct err *err);
int fix_plan_prerouting(const struct fix_subject *s, struct fix *out, struct err *err);
int fix_plan_output(const struct fix_subject *s, struct fix *out, struct err *err);
int fix_plan_postrouting(const struct fix_subject *s, struct fix *out, struct err *err);
int fix_plan_input(const struct fix_subject *s, struct fix *out, struct err *err);
