/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * objects: every wanted object with what became of it, for status: wanted, installed, and the
 * kernel's reason where it is not.
 */
#include "daemon/gateway.h"

enum object_state {
	OBJECT_INSTALLED,
	OBJECT_WAITING,   /* for something outside: an interface */
	OBJECT_FAILED,    /* the kernel refused */
	OBJECT_CONTESTED, /* somebody keeps undoing it */
};
const char *object_state_str(enum object_state state);

struct object {
	enum op_kind kind;
	char name[OP_NAME_LEN]; /* as op_name() */
	char wanted[OP_NAME_LEN];
	enum object_state state;
	char reason[200]; /* empty when installed */
};

struct objects {
	struct object *list;
	size_t n, cap;
};

void objects_collect(const struct gateway *g, struct objects *out);
void objects_clear(struct objects *o);
