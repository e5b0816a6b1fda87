/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * out: what a command shows, in one form for people and one for programs.
 *
 * A command reads the daemon's reply into values (reply.h) and hands them to the form that was
 * asked for. out_json passes the reply through as one object on one line; out_text makes it
 * readable. Neither decides anything: exit statuses are the commands' business.
 */
#include "cli/failure.h"
#include "cli/reply.h"
#include "cli/reply_node.h"
#include "cli/reply_verdict.h"
#include "cli/term.h"

struct command;

/* What bundle has written. */
struct bundle_summary {
	const char *file;
	size_t tasks, failed; /* how many there were, and did not go well */
	bool has_verdict;     /* there was a diagnosis to add */
};

/* A node has another active replica. */
struct promoted {
	const char *node, *active;
	const char *before; /* nullptr = it had none */
	sd_json_variant *raw;
};

struct view {
	struct term out, err;
	bool verbose;
	uint64_t now_us; /* CLOCK_REALTIME, for "since" */
};

struct out {
	void (*status)(const struct view *v, const struct status *s);
	/* verb: the command's name, or fix-preview */
	void (*changes)(const struct view *v, const char *verb, const struct changes *c);
	/* canonical: the configuration printed back, nullptr when nobody asked for it */
	void (*checked)(const struct view *v, const char *file, const char *canonical);
	void (*verdict)(const struct view *v, const struct reply_verdict *verdict);
	void (*checks)(const struct view *v, const struct checks *c);
	/* json: the same as it came */
	void (*flow)(const struct view *v, const struct reply_flow *f, sd_json_variant *json);
	void (*bundle)(const struct view *v, const struct bundle_summary *b);
	/* t: of an edge */
	void (*edge)(const struct view *v, const struct reply_tunnel *t);
	void (*promoted)(const struct view *v, const struct promoted *p);
	/* of a certificate or key */
	void (*pin)(const struct view *v, const char *pin);
	void (*version)(const struct view *v, const char *version);
	/* command: the one asked for, nullptr = all; table ends with an empty row */
	void (*help)(
		const struct view *v, const struct command *table, const struct command *command);
	void (*failure)(const struct view *v, const struct failure *f);
};

extern const struct out out_text, out_json;

/* Parts of out_text in files of their own. */
void out_text_status(const struct view *v, const struct status *s);
void out_text_verdict(const struct view *v, const struct reply_verdict *verdict);
void out_text_way(const struct view *v, const struct reply_verdict *verdict);
void out_text_checks(const struct view *v, const struct checks *c);
void out_text_flow(const struct view *v, const struct reply_flow *f, sd_json_variant *json);
/* A table; verbose with what each code means here. */
void out_text_flows(const struct view *v, const struct reply_flow *list, size_t n);
void out_text_path(const struct view *v, const struct status *s);
void out_text_networks(const struct view *v, const struct status *s);
void out_text_bgp(const struct view *v, const struct status *s);
void out_text_bridge(const struct view *v, const struct status *s);
void out_text_tunnel(const struct view *v, const struct status *s);
void out_text_edge(const struct view *v, const struct reply_tunnel *t);
void out_text_promoted(const struct view *v, const struct promoted *p);
/* conditions: a list of struct reply_condition */
void out_text_conditions(const struct view *v, const struct list *conditions);
