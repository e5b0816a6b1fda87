/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_view: the two calls of vtysh, and what one of them showed.
 *
 * A reading is one run: which daemons answer, the running configuration, and the shows about the
 * neighbours and prefixes of a model. A writing is a script. Both go to standard input; what a run
 * prints echoes it. The configuration directory is given as one that does not exist: Debian keeps
 * /etc/frr closed to everybody but FRR, and all that vtysh looks for there is its own vtysh.conf.
 */
#include "frr/diff.h"
#include "frr/running.h"
#include "frr/show.h"
#include "frr/vtysh.h"

/* A request and what it points to. */
struct frr_call {
	struct vtysh_request request;
	struct frr_script commands; /* of a reading */
	char *text;                 /* may hold secrets */
};

/* model may be nullptr. */
void frr_call_read(struct frr_call *call, const struct frr_model *model);
void frr_call_write(struct frr_call *call, const struct frr_script *script);
/* Wipes. */
void frr_call_clear(struct frr_call *call);

struct frr_view {
	bool answered;        /* the rest is worth something */
	struct frr_show show; /* of the model that was asked about */
	struct frr_running running;
};

/* What the call, made for the model, brought. 0, or -errno with a sentence for people when FRR did
 * not answer; *out is then empty. */
[[nodiscard]] int frr_view_read(struct frr_view *out, const struct frr_model *model,
	const struct frr_call *call, const struct vtysh_result *result, struct err *err);
void frr_view_clear(struct frr_view *view);

/* The first of the needed daemons that does not answer, nullptr = they all do. */
const char *frr_view_missing(const struct frr_view *view);
