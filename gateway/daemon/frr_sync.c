/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_sync.h"
#include "daemon/frr_ops.h"
#include "daemon/frr_presence.h"
#include "daemon/frr_sync_int.h"
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

void frr_sync_due(struct frr_sync *s, uint64_t at_us)
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
void frr_sync_rest(struct frr_sync *s, const char *why)
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

bool frr_sync_stale(const struct frr_sync *s)
{
	return s->entered != s->gateway->entered;
}

static void take_config(struct frr_sync *s, uint64_t now_us)
{
	const struct gateway *g = s->gateway;
	if (!frr_sync_stale(s))
		return;
	bool wanted = g->phase == GATEWAY_UP && g->config->bgp.configured;
	if (s->removing && wanted) /* read without neighbours: ours would seem to be others' */
		frr_view_clear(&s->view);
	s->entered = g->entered;
	s->config = wanted ? g->config : nullptr;
	s->removing = !wanted && g->phase != GATEWAY_UNCONFIGURED && s->memory.touched;
	s->removed = false;
	s->n_refused = 0;
	s->write_error = 0;
	ops_clear(&s->ops);
	frr_secrets_clear(&s->secrets);
	if (wanted)
		frr_secrets_read(&s->secrets, s->config);
	begin_anew(s, now_us);
	frr_sync_rest(s, "configured");
}

/* Sessions may come or go with an interface, a little later. */
static void look_twice(struct frr_sync *s, uint64_t now_us)
{
	s->polls = 0;
	s->look_until_us = now_us + FRR_LINK_US;
	frr_sync_due(s, now_us + FRR_SETTLE_US);
}

void frr_sync_kernel(struct frr_sync *s, uint64_t now_us)
{
	take_config(s, now_us);
	if (!s->config)
		return;
	if (s->frr_losses != s->gateway->frr_losses)
		frr_sync_due(s, now_us + FRR_LOSS_US);
	if (s->link_events != s->gateway->link_events)
		look_twice(s, now_us);
	s->frr_losses = s->gateway->frr_losses;
	s->link_events = s->gateway->link_events;
	if (frr_routes_look(&s->routes, s->gateway, import_checked(s), now_us)) {
		s->expected = true;
		frr_sync_due(s, now_us + FRR_SOON_US);
	}
	if (s->routes.next_us)
		frr_sync_due(s, s->routes.next_us);
}

/* Others read a configuration into an FRR that has just started, and would lose it if we wrote at
 * the same time: mgmtd takes it from one at a time. */
static uint64_t settled_at(const struct frr_sync *s, uint64_t age_us, uint64_t now_us)
{
	uint64_t settle = s->removing && s->settled ? FRR_SETTLE_DOWN_US : FRR_SETTLE_US;
	return now_us + (age_us < settle ? settle - age_us : FRR_SOON_US);
}

void frr_sync_presence(
	struct frr_sync *s, const struct frr_there *there, bool event, uint64_t now_us)
{
	bool changed = event || there->installed != s->installed || there->sockets != s->sockets;
	s->installed = there->installed;
	s->sockets = there->sockets;
	s->closed = there->closed;
	if (!changed)
		return;
	/* What was there may be gone, and nobody is to blame. */
	s->expected = s->restarted = true;
	s->removed = false;
	s->failures = s->polls = 0;
	s->not_before_us = 0;
	s->due_us = settled_at(s, there->age_us, now_us);
	if (!frr_sync_busy(s))
		frr_sync_rest(s, "FRR came or went");
}

void frr_sync_poke(struct frr_sync *s, uint64_t now_us)
{
	frr_sync_due(s, now_us + FRR_SOON_US);
}

static bool stands(const struct frr_sync *s, const struct addr *neighbor)
{
	const struct frr_show *show = &s->view.show;
	for (size_t i = 0; i < show->n_sessions; i++)
		if (show->sessions[i].state == FRR_SESSION_ESTABLISHED &&
			!addr_cmp(&show->sessions[i].address, neighbor))
			return true;
	return false;
}

uint64_t frr_sync_doubled(uint64_t us, unsigned times, uint64_t max)
{
	while (times-- && us < max)
		us *= 2;
	return us < max ? us : max;
}

void frr_sync_ended(struct frr_sync *s, const struct addr *neighbor, uint64_t now_us)
{
	if (!stands(s, neighbor))
		return;
	uint64_t soon = now_us + FRR_SOON_US;
	uint64_t patience = s->view_us +
			    frr_sync_doubled(FRR_POLL_MIN_US, s->false_ends, FRR_POLL_US);
	s->heard_end = true;
	frr_sync_due(s, soon > patience ? soon : patience);
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

/* ---- writing ---- */

static void begin_writing(struct frr_sync *s, struct vtysh_request *request)
{
	s->write_now = false;
	frr_ops_add(&s->diff, &s->view.running, &s->ops);
	frr_call_write(&s->call, &s->diff.script);
	*request = s->call.request;
	enter(s, FRR_WRITING, "differs");
}

/* Of a neighbour that cannot be one the address is to blame, not the number beside it. */
static struct frr_mark mark_of(const struct frr_sync *s, const struct frr_refusal *r)
{
	const char *address = strstr(r->line->text, "neighbor ");
	if (!address || !s->config || !strstr(r->text, "local system"))
		return r->line->mark;
	address += strlen("neighbor ");
	for (size_t i = 0; i < s->config->bgp.n_neighbors; i++) {
		const struct config_neighbor *n = &s->config->bgp.neighbors[i];
		char text[ADDR_STRLEN];
		size_t len = strlen(addr_str(&n->address, text));
		if (!strncmp(address, text, len) && address[len] == ' ')
			return (struct frr_mark){n->mark.line, n->mark.column};
	}
	return r->line->mark;
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
			to->mark = mark_of(s, &list[i]);
			frr_line_str(list[i].line, to->line, sizeof(to->line));
		}
		memcpy(to->why, list[i].text, sizeof(to->why));
	}
}

/* Whoever took something away may be in the middle of it (frr-reload takes seconds). */
static void done_writing(struct frr_sync *s, const struct vtysh_result *result, uint64_t now_us)
{
	s->polls = 0;
	s->watch_until_us = now_us + FRR_WATCH_US;
	s->write_error = result->error;
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
		frr_sync_judge(s, result, now_us);
	else if (s->state == FRR_WRITING)
		done_writing(s, result, now_us);
}

uint64_t frr_sync_wake(const struct frr_sync *s)
{
	if (s->state != FRR_REST || !s->due_us)
		return 0;
	return s->due_us > s->not_before_us ? s->due_us : s->not_before_us;
}
