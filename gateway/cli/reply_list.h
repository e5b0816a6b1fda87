/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reply_list: an array of what a reply has, as values of one of the structs of reply*.h.
 */
#include <stddef.h>

struct list {
	void *items;
	size_t n;
};

void list_clear(struct list *l);
