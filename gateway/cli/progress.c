/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"
#include <time.h>

/* Who is answered at once sees nothing. */
constexpr uint64_t PATIENCE_US = 300'000;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1'000'000 + (uint64_t)t.tv_nsec / 1000;
}

void progress_begin(struct progress *p, const struct term *t, const char *text)
{
	*p = (struct progress){.term = t, .text = text, .since_us = now_us()};
}

static void wipe(struct progress *p)
{
	fprintf(p->term->file, "\r%*s\r", (int)p->term->width - 1, "");
	p->shown = false;
}

void progress_tick(void *progress)
{
	struct progress *p = progress;
	uint64_t us = now_us() - p->since_us;

	if (!p->term->width || us < PATIENCE_US)
		return;
	if (p->shown)
		wipe(p);
	term_print(p->term, STYLE_DIM, "%.*s %.1f s", (int)p->term->width - 12, p->text,
		(double)us / 1e6);
	fflush(p->term->file);
	p->shown = true;
}

void progress_end(struct progress *p)
{
	if (p->shown)
		wipe(p);
	fflush(p->term->file);
}
