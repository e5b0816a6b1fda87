/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frr_sync_judge: what a reading of FRR leads to.
 */
#include "daemon/frr_conditions.h"
#include "daemon/frr_sync.h"
#include "daemon/frr_sync_int.h"
#include "lib/log.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static size_t dynamic(const struct frr_show *show, struct frr_dynamic **out)
{
	size_t n = 0;
	*out = xcalloc(show->n_sessions, sizeof(**out));
	for (size_t i = 0; i < show->n_sessions; i++) {
		const struct frr_session *s = &show->sessions[i];
		if (s->listen_range.addr.family)
			(*out)[n++] = (struct frr_dynamic){s->address, s->listen_range};
	}
	return n;
}

void frr_sync_diff(const struct config *config, const bool *announce,
	const struct frr_secrets *secrets, const struct frr_memory *memory, const char *interface,
	const struct frr_view *view, struct frr_diff *out)
{
	autofree struct prefix *list = nullptr;
	autofree struct frr_dynamic *peers = nullptr;
	size_t n = installed(&view->show, &list), n_peers = dynamic(&view->show, &peers);
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
		.installed_interface = interface,
		.dynamic = peers,
		.n_dynamic = n_peers};
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

static void fail(struct frr_sync *s, uint64_t now_us, const char *why)
{
	s->failures++;
	s->settled = true;
	s->not_before_us = now_us +
			   frr_sync_doubled(FRR_RETRY_US, s->failures - 1, FRR_RETRY_MAX_US);
	s->due_us = s->not_before_us;
	frr_sync_rest(s, why);
}

/* Every session stands, and had time to send what it has to. */
static bool is_quiet(const struct frr_show *show)
{
	for (size_t i = 0; i < show->n_sessions; i++)
		if (show->sessions[i].state != FRR_SESSION_ESTABLISHED ||
			show->sessions[i].uptime_ms < FRR_SESSION_NEW_MS)
			return false;
	return true;
}

static uint64_t poll_us(const struct frr_sync *s, uint64_t now_us)
{
	if (now_us >= s->watch_until_us && is_quiet(&s->view.show))
		return FRR_POLL_US;
	return frr_sync_doubled(FRR_POLL_MIN_US, s->polls / FRR_POLL_STEP, FRR_POLL_MAX_US);
}

/* Whoever hears the ends of sessions may hear what is none, again and again. */
static void judge_end(struct frr_sync *s)
{
	if (!is_quiet(&s->view.show))
		s->false_ends = 0;
	else
		s->false_ends = s->heard_end ? s->false_ends + 1 : 0;
	s->heard_end = false;
}

static bool same_memory(const struct frr_memory *a, const struct frr_memory *b)
{
	if (a->n_begun != b->n_begun)
		return false;
	for (size_t i = 0; i < a->n_begun; i++)
		if (addr_cmp(&a->begun[i], &b->begun[i]) != 0)
			return false;
	return a->touched == b->touched && a->router == b->router && a->bfd == b->bfd;
}

static int save_memory(struct frr_sync *s, struct err *err)
{
	if (same_memory(&s->memory, &s->kept))
		return 0;
	int r = s->save(s->save_arg, &s->memory, err);
	if (r >= 0)
		s->kept = s->memory;
	return r;
}

static void set_memory(struct frr_sync *s, const struct frr_memory *now)
{
	struct err err = {};
	s->memory = *now;
	if (save_memory(s, &err) < 0)
		log_warn("frr", "%s", err.msg);
}

/* FRR's saved configuration may bring it back: its next start is looked at, too. */
static void finish_removal(struct frr_sync *s)
{
	log_info("frr", "nothing of ours is in FRR");
	s->removed = true;
	set_memory(s, &(struct frr_memory){.touched = true});
	frr_view_clear(&s->view);
	frr_diff_clear(&s->diff);
	frr_sync_rest(s, "removed");
}

/* What of the blocks that we share with others is ours now. */
static void keep_created(struct frr_sync *s)
{
	set_memory(s, &(struct frr_memory){.touched = s->memory.touched,
			      .router = s->diff.created.bgp ? s->view.running.asn : 0,
			      .bfd = s->diff.created.bfd});
}

static void settle_in_place(struct frr_sync *s, uint64_t now_us)
{
	if (!s->in_place && s->config)
		log_info("frr", "FRR is as configured");
	s->in_place = s->settled = true;
	s->expected = false;
	s->failures = 0;
	s->n_refused = 0;
	s->write_error = 0;
	if (s->n_repairs &&
		now_us >= s->repairs[(s->n_repairs - 1) % FRR_FIGHT_REPAIRS] + FRR_FIGHT_US)
		s->contested = false;
	if (s->removing) {
		finish_removal(s);
		return;
	}
	keep_created(s);
	judge_end(s);
	frr_sync_due(s, now_us < s->look_until_us ? s->look_until_us : now_us + poll_us(s, now_us));
	s->polls++;
	frr_sync_rest(s, "in place");
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

static void remember_begun(struct frr_memory *memory, const struct addr *neighbor)
{
	for (size_t i = 0; i < memory->n_begun; i++)
		if (addr_cmp(&memory->begun[i], neighbor) == 0)
			return;
	if (memory->n_begun < FRR_BEGUN_MAX)
		memory->begun[memory->n_begun++] = *neighbor;
}

/* On disk before FRR changes: after a crash nobody else knows. */
static int remember(struct frr_sync *s, struct err *err)
{
	s->memory.touched = true;
	s->memory.bfd |= s->diff.created.bfd;
	for (size_t i = 0; i < s->diff.n_begun; i++)
		remember_begun(&s->memory, &s->diff.begun[i]);
	if (s->diff.created.bgp && s->config)
		s->memory.router = s->config->bgp.asn;
	return save_memory(s, err) < 0 ? err_ctx(err, "what is to be written cannot be remembered")
				       : 0;
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

/* What we had only begun has no mark of ours yet. */
static void claim_begun(struct frr_sync *s)
{
	for (size_t i = 0; i < s->memory.n_begun; i++)
		frr_running_claim(&s->view.running, &s->memory.begun[i]);
}

static unsigned count_established(const struct frr_show *show)
{
	unsigned n = 0;
	for (size_t i = 0; i < show->n_sessions; i++)
		n += show->sessions[i].state == FRR_SESSION_ESTABLISHED;
	return n;
}

/* Where every session stands, with a password or without, what was counted before is over. */
static void forget_signatures(struct frr_sync *s)
{
	bool stands[2] = {}, waits[2] = {};

	for (size_t i = 0; s->config && i < s->config->bgp.n_neighbors; i++) {
		const struct config_neighbor *to = &s->config->bgp.neighbors[i];
		const struct frr_session *n = frr_session_of(&s->view.show, &to->address);
		bool password = to->password_file != nullptr;
		stands[password] |= n && n->state == FRR_SESSION_ESTABLISHED;
		waits[password] |= n && n->state != FRR_SESSION_ESTABLISHED && !n->admin_down;
	}
	if (stands[false] && !waits[false])
		s->md5_unexpected_us = 0;
	if (stands[true] && !waits[true])
		s->md5_wrong_us = 0;
}

void frr_sync_judge(struct frr_sync *s, const struct vtysh_result *result, uint64_t now_us)
{
	struct frr_view view;
	s->problem = (struct err){};
	int r = frr_view_read(&view, &s->asked.model, &s->call, result, &s->problem);
	unsigned stood = count_established(&s->view.show);
	frr_view_clear(&s->view);
	if (r < 0) {
		fail(s, now_us, s->problem.msg);
		return;
	}
	s->view = view;
	if (count_established(&view.show) != stood)
		s->polls = 0; /* what comes next is looked for soon again */
	s->view_us = now_us;
	forget_signatures(s);
	judge_router(s);
	claim_begun(s);
	frr_sync_diff(s->config, s->routes.announce, &s->secrets, &s->memory, s->past.interface,
		&s->view, &s->diff);
	if (s->diff.script.n)
		differs(s, now_us);
	else
		settle_in_place(s, now_us);
}
