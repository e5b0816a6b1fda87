/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/diag.h"
#include "lib/xmalloc.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool diag_full(const struct diag_list *list)
{
	return list->out.n >= DIAG_MAX;
}

void diag_add(
	struct diag_list *list, struct config_mark mark, const char *path, const char *fmt, ...)
{
	if (diag_full(list)) {
		list->dropped++;
		return;
	}
	XGROW(list->out.list, list->out.n, list->cap);

	struct config_diag *diag = &list->out.list[list->out.n++];
	*diag = (struct config_diag){.mark = mark};
	snprintf(diag->path, sizeof(diag->path), "%s", path);

	va_list ap;
	va_start(ap, fmt);
	vsnprintf(diag->message, sizeof(diag->message), fmt, ap);
	va_end(ap);
}

static int cmp_number(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int cmp_diag(const void *x, const void *y)
{
	const struct config_diag *a = x, *b = y;
	int order = cmp_number(a->mark.line, b->mark.line);

	if (order == 0)
		order = cmp_number(a->mark.column, b->mark.column);
	if (order == 0)
		order = strcmp(a->path, b->path);
	return order ? order : strcmp(a->message, b->message);
}

void diag_finish(struct diag_list *list, struct config_diags *out)
{
	struct config_diags *diags = &list->out;

	if (diags->n > 1)
		qsort(diags->list, diags->n, sizeof(diags->list[0]), cmp_diag);
	if (list->dropped > 0) {
		struct config_diag *last = &diags->list[diags->n - 1];
		snprintf(last->message, sizeof(last->message),
			"and %zu further mistakes that are not listed", list->dropped + 1);
		last->path[0] = '\0';
	}
	diags->total = diags->n + list->dropped;
	*out = *diags;
	*list = (struct diag_list){};
}

void config_diags_clear(struct config_diags *diags)
{
	free(diags->list);
	*diags = (struct config_diags){};
}
