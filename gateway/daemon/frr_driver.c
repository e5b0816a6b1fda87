/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_driver.h"
#include "daemon/clock.h"
#include "daemon/frr_presence.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A reading for somebody else. */
struct reading {
	struct reading *next;
	struct vtysh *child; /* of the first only; nullptr = it waits */
	const struct frr_model *model;
	struct frr_call call;
	frr_driver_read_done done;
	void *arg;
};

struct frr_driver {
	sd_event *event;
	struct frr_sync *sync;
	struct frr_driver_options options;
	struct frr_presence *presence;
	sd_event_source *timer;
	struct vtysh *child;
	struct reading *readings;
};

static void look(struct frr_driver *d, bool event)
{
	struct frr_there there = frr_presence_look(d->options.program, d->options.dir);
	frr_sync_presence(d->sync, &there, event, clock_monotonic_us());
}

static void on_presence(void *arg)
{
	struct frr_driver *d = arg;
	look(d, true);
	frr_driver_step(d);
	d->options.changed(d->options.arg);
}

/* Only while there is something to do. */
static void watch_presence(struct frr_driver *d)
{
	struct err err = {};
	if (d->sync->state == FRR_OFF) {
		frr_presence_free(d->presence);
		d->presence = nullptr;
		return;
	}
	if (d->presence)
		return;
	if (frr_presence_new(d->event, d->options.dir, on_presence, d, &d->presence, &err) < 0)
		log_warn("frr", "%s", err.msg);
	look(d, false);
}

static void on_done(void *arg, const struct vtysh_result *result)
{
	struct frr_driver *d = arg;
	struct frr_md5 md5;
	d->child = nullptr;
	if (frr_md5_look(&md5))
		frr_sync_md5(d->sync, &md5, clock_monotonic_us());
	frr_sync_done(d->sync, result, clock_monotonic_us());
	frr_driver_step(d);
	d->options.changed(d->options.arg);
}

static int start(struct frr_driver *d, struct vtysh_request *request)
{
	struct err err = {};
	request->program = d->options.program;
	int r = vtysh_start(d->event, request, on_done, d, &d->child, &err);
	if (r < 0) {
		char empty[] = "";
		struct vtysh_result failed = {.error = -r, .out = empty, .err = empty};
		frr_sync_done(d->sync, &failed, clock_monotonic_us());
	}
	return r;
}

/* Never two at a time: mgmtd of FRR 10.3 spoils a commit that is under way when another session
 * with it ends (FRRouting issue 18541). */
static bool runs(const struct frr_driver *d)
{
	return d->child || (d->readings && d->readings->child);
}

/* ---- readings for others ---- */

static void reading_free(struct reading *r)
{
	frr_call_clear(&r->call);
	free(r);
}

/* Of the first, which goes. */
static void finish_reading(
	struct frr_driver *d, const struct vtysh_result *result, const struct err *why)
{
	struct reading *r = d->readings;
	struct frr_view view = {};
	struct err err = *why;
	d->readings = r->next;
	bool read = result && frr_view_read(&view, r->model, &r->call, result, &err) >= 0;
	r->done(r->arg, read ? &view : nullptr, &err);
	frr_view_clear(&view);
	reading_free(r);
}

static void on_read(void *arg, const struct vtysh_result *result)
{
	struct frr_driver *d = arg;
	finish_reading(d, result, &(struct err){});
	frr_driver_step(d);
}

static void begin_reading(struct frr_driver *d)
{
	struct err err = {};
	while (d->readings) {
		struct reading *r = d->readings;
		if (vtysh_start(d->event, &r->call.request, on_read, d, &r->child, &err) >= 0)
			return;
		finish_reading(d, nullptr, &err);
	}
}

void frr_driver_read(
	struct frr_driver *d, const struct frr_model *model, frr_driver_read_done done, void *arg)
{
	struct reading *r = xcalloc(1, sizeof(*r));
	struct reading **at = &d->readings;
	*r = (struct reading){.model = model, .done = done, .arg = arg};
	frr_call_read(&r->call, model);
	r->call.request.program = d->options.program;
	while (*at)
		at = &(*at)->next;
	*at = r;
	if (!runs(d))
		begin_reading(d);
}

/* ---- the machine's turn ---- */

static void arm(struct frr_driver *d)
{
	uint64_t at = frr_sync_wake(d->sync);
	bool wait = at && !runs(d);
	if (wait && sd_event_source_set_time(d->timer, at) < 0)
		abort();
	if (sd_event_source_set_enabled(d->timer, wait ? SD_EVENT_ONESHOT : SD_EVENT_OFF) < 0)
		abort();
}

void frr_driver_step(struct frr_driver *d)
{
	struct vtysh_request request;
	if (frr_sync_stale(d->sync))
		look(d, false);
	frr_sync_kernel(d->sync, clock_monotonic_us());
	if (d->child && !frr_sync_busy(d->sync)) {
		vtysh_cancel(d->child);
		d->child = nullptr;
	}
	watch_presence(d);
	while (!runs(d) && frr_sync_next(d->sync, clock_monotonic_us(), &request))
		if (start(d, &request) >= 0)
			break;
	if (!runs(d))
		begin_reading(d);
	arm(d);
}

static int on_timer(sd_event_source *, uint64_t, void *userdata)
{
	struct frr_driver *d = userdata;
	look(d, false);
	frr_driver_step(d);
	return 0;
}

int frr_driver_new(sd_event *event, struct frr_sync *sync, const struct frr_driver_options *options,
	struct frr_driver **out, struct err *err)
{
	struct frr_driver *d = xcalloc(1, sizeof(*d));
	*d = (struct frr_driver){.event = event, .sync = sync, .options = *options};
	if (!d->options.program)
		d->options.program = VTYSH_PROGRAM;
	if (!d->options.dir)
		d->options.dir = FRR_RUNTIME_DIR;
	int r = sd_event_add_time(event, &d->timer, CLOCK_MONOTONIC, 0, 1, on_timer, d);
	if (r >= 0)
		r = sd_event_source_set_enabled(d->timer, SD_EVENT_OFF);
	if (r < 0) {
		frr_driver_free(d);
		return err_set(err, -r, "event loop: %s", strerror(-r));
	}
	*out = d;
	return 0;
}

void frr_driver_free(struct frr_driver *d)
{
	if (!d)
		return;
	while (d->readings) {
		struct reading *r = d->readings;
		d->readings = r->next;
		vtysh_cancel(r->child);
		reading_free(r);
	}
	vtysh_cancel(d->child);
	sd_event_source_disable_unref(d->timer);
	frr_presence_free(d->presence);
	free(d);
}

void frr_driver_look(struct frr_driver *d)
{
	frr_sync_poke(d->sync, clock_monotonic_us());
	frr_driver_step(d);
}
