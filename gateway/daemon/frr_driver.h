/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_driver: the hands and the clock of frr_sync. It starts vtysh when the machine asks for it
 * and brings what was printed back, keeps its timer, watches FRR's sockets while there is something
 * to do, and tells who waits for the end of an attempt. One vtysh runs at a time.
 */
#include "daemon/frr_sync.h"

struct frr_driver;

struct frr_driver_options {
	const char *program; /* vtysh; nullptr = VTYSH_PROGRAM */
	const char *dir;     /* FRR's sockets; nullptr = FRR_RUNTIME_DIR */
	/* Something about FRR has changed; not called from within a function of this header. */
	void (*changed)(void *arg);
	void *arg;
};

/* Borrows all. */
[[nodiscard]] int frr_driver_new(sd_event *event, struct frr_sync *sync,
	const struct frr_driver_options *options, struct frr_driver **out, struct err *err);
/* A child that runs is killed: what it has not yet written is written by the next start. */
void frr_driver_free(struct frr_driver *d);

/* After each pass of the gateway, and before anything else whenever it may have another
 * configuration; also after whatever else may have given frr_sync something to do. */
void frr_driver_step(struct frr_driver *d);

/* What is known of FRR shall be fresh in a moment. */
void frr_driver_look(struct frr_driver *d);

/* A reading beside the machine's own, for a plan; it waits for what runs. done is called once, with
 * nullptr where FRR could not be read (err then says why). */
typedef void (*frr_driver_read_done)(void *arg, const struct frr_view *view, const struct err *err);
/* model is borrowed until then. */
void frr_driver_read(
	struct frr_driver *d, const struct frr_model *model, frr_driver_read_done done, void *arg);
