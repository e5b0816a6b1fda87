/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * diagnoses: the diagnoses that are under way, and the last one that came to its end.
 *
 * Each has a configuration of its own, read from the text that runs when it begins: what changes
 * meanwhile is for the next one. Where nothing is in force, it is the one that a start would apply,
 * or, on a node that has none at all, a guess from the routes: the failure that brings people here
 * is that of a bare node.
 *
 * A target by name is each of its addresses in turn, as a caller would take them, until one has a
 * fault: that is the answer. What no flow of the mesh can be for (an address of a family that it
 * has no range of) is left out.
 */
#include "daemon/server.h"
#include "diagnose/probe_link.h"
#include "verdict/verdict.h"

struct diagnoses;
struct diagnose_ticket; /* one that is under way */

struct diagnoses_ask {
	const char *target; /* of the command line (verdict/evidence.h) */
	const char *from; /* a class of ranges, or an address; FLOW_FROM_GATEWAY: this host itself;
			     nullptr = workers */
	bool passive;
	bool aside; /* not an operator's: Recall and Fix go on to mean the last that was */
	uint64_t limit_us;
	struct probe_tls tls; /* of an https service; copied */
	/* Both are borrowed. nullptr: there is none, err says why, or, without it, the daemon ends.
	 * Not called after diagnoses_cancel(). */
	void (*done)(void *arg, sd_json_variant *verdict, sd_json_variant *record,
		const struct err *err);
	void *arg;
};

struct diagnoses *diagnoses_new(sd_event *event, struct server_context *context);
void diagnoses_free(struct diagnoses *d);

/* 0; -EINVAL the target or whose flow it is makes no sense; -EBUSY too many are under way. */
[[nodiscard]] int diagnoses_begin(struct diagnoses *d, const struct diagnoses_ask *ask,
	struct diagnose_ticket **out, struct err *err);
void diagnoses_cancel(struct diagnose_ticket *t);

/* Decides, and remembers it as the last one; takes the evidence. */
void diagnoses_keep(struct diagnoses *d, struct evidence *e);
/* The last one; nullptr = there was none since the daemon's start. */
sd_json_variant *diagnoses_verdict(const struct diagnoses *d);
sd_json_variant *diagnoses_record(const struct diagnoses *d);
/* The same as values, until a repair has made them past. */
const struct verdict *diagnoses_decided(const struct diagnoses *d);
const struct evidence *diagnoses_evidence(const struct diagnoses *d);
void diagnoses_spend(struct diagnoses *d);
