/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * own: release by scope.
 *
 * A variable declared with one of these attributes is released when its scope ends; the empty
 * value (nullptr, -1) is always safe. Ownership leaves visibly, by fd_take() or TAKE_PTR().
 * Only for releasing memory and handles; reversing side effects is written out as code.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void own_free(void *p)
{
	free(*(void **)p);
}

static inline void own_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void own_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define autofree [[gnu::cleanup(own_free)]]
#define autoclose [[gnu::cleanup(own_close)]]
#define autofclose [[gnu::cleanup(own_fclose)]]

/* Moves the descriptor out of *fd, which becomes -1. */
static inline int fd_take(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

/* Moves the pointer out of the variable p, which becomes nullptr. */
#define TAKE_PTR(p)                        \
	({                                 \
		typeof(p) *_slot = &(p);   \
		typeof(p) _taken = *_slot; \
		*_slot = nullptr;          \
		_taken;                    \
	})
