/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_watch: flows that fail, as they do. A terminal has a table that is drawn over itself, with
 * the latest on top; everything else gets a line for each change.
 */
#include "cli/cli.h"
#include "cli/follow.h"
#include "lib/api.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

constexpr uint64_t DRAW_US = 100'000;  /* several changes are drawn at once */
constexpr uint64_t AGE_US = 1'000'000; /* "… ago" goes on without changes */
constexpr size_t KEPT = 64;            /* more fit on no terminal */

struct kept {
	sd_json_variant *json; /* owned: the strings are borrowed from it */
	struct reply_flow flow;
};

struct watch {
	struct cli *cli;
	sd_event_source *timer; /* of a table; nullptr = lines */
	struct kept kept[KEPT]; /* the latest first */
	size_t n;
	size_t drawn; /* lines that stand on the terminal */
};

/* ---- The table ---- */

static bool same(const struct reply_flow *a, const struct reply_flow *b)
{
	return strcmp(a->target, b->target) == 0 && strcmp(a->code, b->code) == 0;
}

/* Which one it replaces: its own, a free place, or the oldest. */
static size_t place_of(const struct watch *w, const struct reply_flow *flow)
{
	size_t i = 0;

	while (i < w->n && !same(&w->kept[i].flow, flow))
		i++;
	return i < KEPT ? i : KEPT - 1;
}

static void keep(struct watch *w, sd_json_variant *json, const struct reply_flow *flow)
{
	size_t i = place_of(w, flow);

	if (i == w->n)
		w->n++;
	sd_json_variant_unref(w->kept[i].json);
	memmove(&w->kept[1], &w->kept[0], i * sizeof(w->kept[0]));
	w->kept[0] = (struct kept){sd_json_variant_ref(json), *flow};
}

/* Rows of the terminal, without those of the heading and the cursor. */
static size_t rows_of(FILE *file)
{
	struct winsize size = {};

	if (ioctl(fileno(file), TIOCGWINSZ, &size) < 0 || size.ws_row < 5)
		return 20;
	return size.ws_row - 3U;
}

static size_t print_table(const struct watch *w)
{
	const struct view *v = &w->cli->view;
	struct reply_flow list[KEPT];
	size_t rows = rows_of(v->out.file), n = w->n < rows ? w->n : rows;

	for (size_t i = 0; i < n; i++)
		list[i] = w->kept[i].flow;
	term_raw(&v->out, STYLE_BOLD, "Flows of the mesh that failed");
	term_raw(&v->out, STYLE_PLAIN, n ? "\n" : ": none until now\n");
	out_text_flows(v, list, n);
	return n + 1;
}

/* The terminal breaks no line of ours (DECAWM), so that what was drawn can be found again. */
static void draw(struct watch *w)
{
	FILE *f = w->cli->view.out.file;
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	w->cli->view.now_us = (uint64_t)t.tv_sec * 1'000'000 + (uint64_t)t.tv_nsec / 1000;
	if (w->drawn)
		fprintf(f, "\033[%zuA\033[J", w->drawn);
	fputs("\033[?7l", f);
	w->drawn = print_table(w);
	fputs("\033[?7h", f);
	fflush(f);
}

static int on_timer(sd_event_source *timer, uint64_t, void *userdata)
{
	draw(userdata);
	return sd_event_source_set_time_relative(timer, AGE_US) < 0
		       ? -1
		       : sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static int draw_soon(const struct watch *w)
{
	uint64_t at, now;

	if (sd_event_source_get_time(w->timer, &at) < 0 ||
		sd_event_now(sd_event_source_get_event(w->timer), CLOCK_MONOTONIC, &now) < 0)
		return -1;
	return at < now + DRAW_US ? 0 : sd_event_source_set_time_relative(w->timer, DRAW_US);
}

/* ---- Changes ---- */

static int take(void *arg, sd_json_variant *parameters)
{
	struct watch *w = arg;
	struct reply_flow flow;
	sd_json_variant *json = sd_json_variant_by_key(parameters, "flow");

	if (flow_read(json, &flow) < 0)
		return -1;
	if (w->timer) {
		keep(w, json, &flow);
		return draw_soon(w);
	}
	w->cli->out->flow(&w->cli->view, &flow, json);
	fflush(w->cli->view.out.file);
	return 0;
}

static enum exit_status run(struct watch *w, sd_event *event)
{
	struct cli *cli = w->cli;
	struct follow follow = {
		.call = {.socket = API_CONTROL_SOCKET,
			.method = "Follow",
			.timeout_us = cli->timeout_us},
		.take = take,
		.arg = w,
	};

	if (cli->out == &out_text && cli->view.out.width &&
		sd_event_add_time_relative(
			event, &w->timer, CLOCK_MONOTONIC, DRAW_US, 0, on_timer, w) < 0)
		out_of_memory();
	return follow_run(event, &follow, &cli->failure);
}

enum exit_status cmd_watch(struct cli *cli)
{
	struct watch w = {.cli = cli};
	sd_event *event;

	if (sd_event_new(&event) < 0)
		out_of_memory();
	enum exit_status status = run(&w, event);
	sd_event_source_unref(w.timer);
	sd_event_unref(event);
	for (size_t i = 0; i < w.n; i++)
		sd_json_variant_unref(w.kept[i].json);
	return status;
}
