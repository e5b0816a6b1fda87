/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_sync.h"
#include "daemon/frr_ops.h"
#include "daemon/frr_presence.h"
#include "frr/output.h"
#include "lib/log.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Without these two nothing can be announced. */
constexpr unsigned SOCKETS_NEEDED = FRR_SOCKET_ZEBRA | FRR_SOCKET_BGPD;

void frr_sync_init(struct frr_sync *s, const struct gateway *gateway, frr_save save, void *arg)
{
	*s = (struct frr_sync){.gateway = gateway, .save = save, .save_arg = arg, .settled = true};
}

void frr_sync_clear(struct frr_sync *s)
{
	frr_call_clear(&s->call);
	frr_built_clear(&s->asked);
	frr_view_clear(&s->view);
	frr_diff_clear(&s->diff);
	frr_secrets_clear(&s->secrets);
	frr_routes_clear(&s->routes);
	free(s->past.statics);
	ops_clear(&s->ops);
	*s = (struct frr_sync){};
}

static void enter(struct frr_sync *s, enum frr_state state, const char *why)
{
	static const char *const names[] = {[FRR_OFF] = "off",
		[FRR_ABSENT] = "absent",
		[FRR_REST] = "rest",
		[FRR_READING] = "reading",
		[FRR_WRITING] = "writing"};
	if (s->state != state)
		log_debug("frr", "%s -> %s (%s)", names[s->state], names[state], why);
	s->state = state;
}

static void due(struct frr_sync *s, uint64_t at_us)
{
	if (!s->due_us || at_us < s->due_us)
		s->due_us = at_us;
}

bool frr_sync_busy(const struct frr_sync *s)
{
	return s->state == FRR_READING || s->state == FRR_WRITING;
}

static bool is_there(const struct frr_sync *s)
{
	if (!s->installed)
		return false;
	return s->removing ? s->sockets != 0 : (s->sockets & SOCKETS_NEEDED) == SOCKETS_NEEDED;
}

/* Where it stands while no child runs. */
static void rest(struct frr_sync *s, const char *why)
{
	s->write_now = s->read_now = s->read_back = false;
	frr_call_clear(&s->call);
	frr_built_clear(&s->asked);
	if (!s->config && !s->removing)
		enter(s, FRR_OFF, why);
	else
		enter(s, is_there(s) ? FRR_REST : FRR_ABSENT, why);
	if (s->state != FRR_REST)
		s->settled = true;
}

/* ---- what may give it something to do ---- */

static bool import_checked(const struct frr_sync *s)
{
	for (size_t i = 0; i < s->diff.n_findings; i++)
		if (s->diff.findings[i].code == FRR_FOUND_IMPORT_CHECK_OFF)
			return false;
	return true;
}

static void begin_anew(struct frr_sync *s, uint64_t at_us)
{
	s->settled = false;
	s->expected = true;
	s->contested = false;
	s->failures = s->polls = s->n_repairs = 0;
	s->not_before_us = 0;
	s->due_us = at_us;
}

static void take_config(struct frr_sync *s, uint64_t now_us)
{
	const struct gateway *g = s->gateway;
	if (s->entered == g->entered)
		return;
	bool wanted = g->phase == GATEWAY_UP && g->config->bgp.configured;
	s->entered = g->entered;
	s->config = wanted ? g->config : nullptr;
	s->removing = !wanted && g->phase != GATEWAY_UNCONFIGURED && s->memory.touched;
	s->n_refused = 0;
	ops_clear(&s->ops);
	frr_secrets_clear(&s->secrets);
	if (wanted)
		frr_secrets_read(&s->secrets, s->config);
	begin_anew(s, now_us);
	rest(s, "configured");
}

void frr_sync_kernel(struct frr_sync *s, uint64_t now_us)
{
	take_config(s, now_us);
	if (!s->config)
		return;
	if (s->frr_losses != s->gateway->frr_losses)
		frr_sync_poke(s, now_us);
	s->frr_losses = s->gateway->frr_losses;
	if (frr_routes_look(&s->routes, s->gateway, import_checked(s), now_us)) {
		s->expected = true;
		due(s, now_us + FRR_SOON_US);
	}
	if (s->routes.next_us)
		due(s, s->routes.next_us);
}

void frr_sync_presence(
	struct frr_sync *s, bool installed, unsigned sockets, bool event, uint64_t now_us)
{
	bool changed = event || installed != s->installed || sockets != s->sockets;
	s->installed = installed;
	s->sockets = sockets;
	if (!changed)
		return;
	/* What was there may be gone, and nobody is to blame. */
	s->expected = s->restarted = true;
	s->failures = s->polls = 0;
	s->not_before_us = 0;
	s->due_us = now_us + (s->removing && s->settled ? FRR_SETTLE_DOWN_US : FRR_SETTLE_US);
	if (!frr_sync_busy(s))
		rest(s, "FRR came or went");
}

void frr_sync_poke(struct frr_sync *s, uint64_t now_us)
{
	due(s, now_us + FRR_SOON_US);
}

void frr_sync_ended(struct frr_sync *s, const struct addr *neighbor, uint64_t now_us)
{
	const struct frr_show *show = &s->view.show;
	for (size_t i = 0; i < show->n_sessions; i++)
		if (show->sessions[i].state == FRR_SESSION_ESTABLISHED &&
			!addr_cmp(&show->sessions[i].address, neighbor)) {
			s->polls = 0;
			frr_sync_poke(s, now_us);
		}
}

void frr_sync_md5(struct frr_sync *s, const struct frr_md5 *now, uint64_t now_us)
{
	if (s->md5_us && now->wrong > s->md5.wrong)
		s->md5_wrong_us = now_us;
	if (s->md5_us && now->unexpected > s->md5.unexpected)
		s->md5_unexpected_us = now_us;
	s->md5 = *now;
	s->md5_us = now_us;
}

/* ---- reading ---- */

void frr_sync_remember(struct frr_sync *s, const struct config *config)
{
	struct frr_past *past = &s->past;
	free(past->statics);
	past->statics = xcalloc(config->n_ranges, sizeof(*past->statics));
	past->n = config->n_ranges;
	for (size_t i = 0; i < past->n; i++)
		past->statics[i].prefix = config->ranges[i].prefix;
	memcpy(past->interface, config->mesh_interface, sizeof(past->interface));
}

/* What a reading asks about; while removing, where statics of ours may still be. */
static void make_asked(struct frr_sync *s)
{
	frr_built_clear(&s->asked);
	if (s->config) {
		frr_model_build(s->config, s->routes.announce, &s->secrets, nullptr, &s->asked);
		frr_sync_remember(s, s->config);
		return;
	}
	s->asked.model = (struct frr_model){
		.interface = s->past.interface, .statics = s->past.statics, .n_statics = s->past.n};
}

static void begin_reading(
	struct frr_sync *s, uint64_t now_us, struct vtysh_request *request, const char *why)
{
	if (s->config)
		(void)frr_routes_look(&s->routes, s->gateway, import_checked(s), now_us);
	make_asked(s);
	frr_call_read(&s->call, &s->asked.model);
	*request = s->call.request;
	s->due_us = 0;
	enter(s, FRR_READING, why);
}

/* Statics of ours that zebra has, whatever mgmtd remembers of them. */
static size_t installed(const struct frr_show *show, struct prefix **out)
{
	size_t n = 0;
	*out = xcalloc(show->n_prefixes, sizeof(**out));
	for (size_t i = 0; i < show->n_prefixes; i++)
		if (show->prefixes[i].static_ours)
			(*out)[n++] = show->prefixes[i].prefix;
	return n;
}

void frr_sync_diff(const struct config *config, const bool *announce,
	const struct frr_secrets *secrets, const struct frr_memory *memory, const char *interface,
	const struct frr_view *view, struct frr_diff *out)
{
	autofree struct prefix *list = nullptr;
	size_t n = installed(&view->show, &list);
	struct frr_built built = {};
	if (config)
		frr_model_build(config, announce, secrets, &view->running, &built);
	frr_diff_clear(out);
	struct frr_diff_input input = {.model = config ? &built.model : nullptr,
		.running = &view->running,
		.created = {.bgp = memory->router && memory->router == view->running.asn,
			.bfd = memory->bfd},
		.installed = list,
		.n_installed = n,
		.installed_interface = interface};
	/* What stays behind while a daemon is gone must not count as removed. */
	for (size_t i = 0; config && i < FRR_DAEMONS; i++)
		input.missing[i] = !view->show.daemon[i];
	frr_diff(&input, out);
	frr_built_clear(&built);
}

static bool has_ours_in_router(const struct frr_running *running)
{
	for (size_t i = 0; i < running->n; i++)
		if (running->list[i].ours && !strncmp(running->list[i].block, "router bgp", 10))
			return true;
	return false;
}

/* FRR started anew, and somebody's own configuration made a `router bgp` before we did. */
static void judge_router(struct frr_sync *s)
{
	const struct frr_running *running = &s->view.running;
	if (running->asn == 0 || (s->restarted && !has_ours_in_router(running)))
		s->memory.router = 0;
	s->restarted = false;
}

/* ---- what a reading leads to ---- */

static uint64_t pause_us(unsigned failures)
{
	uint64_t pause = FRR_RETRY_US;
	for (unsigned i = 1; i < failures && pause < FRR_RETRY_MAX_US; i++)
		pause *= 2;
	return pause < FRR_RETRY_MAX_US ? pause : FRR_RETRY_MAX_US;
}

static void fail(struct frr_sync *s, uint64_t now_us, const char *why)
{
	s->failures++;
	s->settled = true;
	s->not_before_us = now_us + pause_us(s->failures);
	s->due_us = s->not_before_us;
	rest(s, why);
}

static bool all_established(const struct frr_show *show)
{
	for (size_t i = 0; i < show->n_sessions; i++)
		if (show->sessions[i].state != FRR_SESSION_ESTABLISHED)
			return false;
	return true;
}

static uint64_t poll_us(const struct frr_sync *s)
{
	uint64_t pause = FRR_POLL_MIN_US;
	if (all_established(&s->view.show))
		return FRR_POLL_US;
	for (unsigned i = FRR_POLL_STEP; i <= s->polls && pause < FRR_POLL_MAX_US;
		i += FRR_POLL_STEP)
		pause *= 2;
	return pause < FRR_POLL_MAX_US ? pause : FRR_POLL_MAX_US;
}

static void save_memory(struct frr_sync *s)
{
	struct err err = {};
	if (s->save(s->save_arg, &s->memory, &err) < 0)
		log_warn("frr", "%s", err.msg);
}

static void finish_removal(struct frr_sync *s)
{
	log_info("frr", "nothing of ours is left in FRR");
	s->removing = false;
	s->memory = (struct frr_memory){};
	save_memory(s);
	frr_view_clear(&s->view);
	frr_diff_clear(&s->diff);
}

static void settle_in_place(struct frr_sync *s, uint64_t now_us)
{
	if (!s->in_place && s->config)
		log_info("frr", "FRR is as configured");
	s->in_place = s->settled = true;
	s->expected = false;
	s->failures = 0;
	s->n_refused = 0;
	if (s->n_repairs &&
		now_us >= s->repairs[(s->n_repairs - 1) % FRR_FIGHT_REPAIRS] + FRR_FIGHT_US)
		s->contested = false;
	if (s->removing)
		finish_removal(s);
	due(s, now_us + poll_us(s));
	s->polls++;
	rest(s, "in place");
}

/* Undone too often, it is mended once in a while only. */
static void count_repair(struct frr_sync *s, uint64_t now_us)
{
	uint64_t *oldest = &s->repairs[s->n_repairs % FRR_FIGHT_REPAIRS];
	s->contested |= s->n_repairs >= FRR_FIGHT_REPAIRS && now_us < *oldest + FRR_FIGHT_US;
	*oldest = now_us;
	s->n_repairs++;
	if (s->contested)
		s->not_before_us = now_us + FRR_FIGHT_PAUSE_US;
}

static bool same_memory(const struct frr_memory *a, const struct frr_memory *b)
{
	return a->touched == b->touched && a->router == b->router && a->bfd == b->bfd;
}

/* On disk before FRR changes: after a crash nobody else knows. */
static int remember(struct frr_sync *s, struct err *err)
{
	struct frr_memory before = s->memory;
	s->memory.touched = true;
	s->memory.bfd |= s->diff.created.bfd;
	if (s->diff.created.bgp && s->config)
		s->memory.router = s->config->bgp.asn;
	if (same_memory(&s->memory, &before))
		return 0;
	int r = s->save(s->save_arg, &s->memory, err);
	if (r < 0)
		s->memory = before;
	return r < 0 ? err_ctx(err, "what is to be written cannot be remembered") : 0;
}

static void differs(struct frr_sync *s, uint64_t now_us)
{
	bool undone = s->in_place && !s->expected;
	s->in_place = false;
	if (s->read_back) {
		fail(s, now_us, "not taken");
		return;
	}
	if (remember(s, &s->problem) < 0) {
		fail(s, now_us, "not remembered");
		return;
	}
	if (undone)
		count_repair(s, now_us);
	log_info("frr", "changing FRR lines=%zu%s", s->diff.script.n, undone ? " (repair)" : "");
	s->write_now = true;
}

static void done_reading(struct frr_sync *s, const struct vtysh_result *result, uint64_t now_us)
{
	struct frr_view view;
	s->problem = (struct err){};
	int r = frr_view_read(&view, &s->asked.model, &s->call, result, &s->problem);
	frr_view_clear(&s->view);
	if (r < 0) {
		fail(s, now_us, s->problem.msg);
		return;
	}
	s->view = view;
	s->view_us = now_us;
	judge_router(s);
	frr_sync_diff(s->config, s->routes.announce, &s->secrets, &s->memory, s->past.interface,
		&s->view, &s->diff);
	if (s->diff.script.n)
		differs(s, now_us);
	else
		settle_in_place(s, now_us);
}

/* ---- writing ---- */

static void begin_writing(struct frr_sync *s, struct vtysh_request *request)
{
	s->write_now = false;
	frr_ops_add(&s->diff, &s->view.running, &s->ops);
	frr_call_write(&s->call, &s->diff.script);
	*request = s->call.request;
	enter(s, FRR_WRITING, "differs");
}

static void note_refused(struct frr_sync *s, const struct vtysh_result *result)
{
	struct frr_refusal list[FRR_REFUSALS_MAX];
	size_t n = frr_output_read(
		&s->diff.script, result->out, result->n_out, list, FRR_REFUSALS_MAX);
	s->n_refused = n < FRR_REFUSALS_MAX ? n : FRR_REFUSALS_MAX;
	for (size_t i = 0; i < s->n_refused; i++) {
		struct frr_refused *to = &s->refused[i];
		*to = (struct frr_refused){};
		if (list[i].line) {
			to->mark = list[i].line->mark;
			frr_line_str(list[i].line, to->line, sizeof(to->line));
		}
		memcpy(to->why, list[i].text, sizeof(to->why));
	}
}

static void done_writing(struct frr_sync *s, const struct vtysh_result *result)
{
	if (result->error)
		log_warn("frr", "vtysh did not take the script: %s", strerror(result->error));
	note_refused(s, result);
	s->read_now = true;
}

bool frr_sync_next(struct frr_sync *s, uint64_t now_us, struct vtysh_request *request)
{
	uint64_t at = frr_sync_wake(s);
	if (s->write_now) {
		begin_writing(s, request);
		return true;
	}
	if (s->read_now) {
		s->read_now = false;
		s->read_back = true;
		begin_reading(s, now_us, request, "read back");
		return true;
	}
	if (!at || now_us < at)
		return false;
	begin_reading(s, now_us, request, "due");
	return true;
}

void frr_sync_done(struct frr_sync *s, const struct vtysh_result *result, uint64_t now_us)
{
	if (s->state == FRR_READING)
		done_reading(s, result, now_us);
	else if (s->state == FRR_WRITING)
		done_writing(s, result);
}

uint64_t frr_sync_wake(const struct frr_sync *s)
{
	if (s->state != FRR_REST || !s->due_us)
		return 0;
	return s->due_us > s->not_before_us ? s->due_us : s->not_before_us;
}
