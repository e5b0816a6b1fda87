/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/show.h"
#include "frr/show_json.h"
#include "frr/text.h"
#include "lib/escape.h"
#include "lib/xmalloc.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- Questions ---- */

/* What is asked first, of any model. */
enum { DAEMONS, RUNNING, RUNNING_BGPD, RUNNING_MGMTD, GENERAL };
static const char *const general[GENERAL] = {
	[DAEMONS] = "show daemons",
	[RUNNING] = "show running-config",
	[RUNNING_BGPD] = "show running-config bgpd",
	[RUNNING_MGMTD] = "show running-config mgmtd",
};

static bool is_v4(const struct prefix *prefix)
{
	return prefix->addr.family == AF_INET;
}

void frr_show_commands(const struct frr_model *model, struct frr_script *out)
{
	char text[PREFIX_STRLEN];
	for (size_t i = 0; i < GENERAL; i++)
		frr_script_add(out, (struct frr_mark){}, "%s", general[i]);
	for (size_t i = 0; model && i < model->n_statics; i++) {
		const struct frr_static *s = &model->statics[i];
		prefix_str(&s->prefix, text);
		frr_script_add(out, s->mark, "show %s route %s json",
			is_v4(&s->prefix) ? "ip" : "ipv6", text);
		frr_script_add(out, s->mark, "show bgp %s unicast %s json",
			is_v4(&s->prefix) ? "ipv4" : "ipv6", text);
	}
	for (size_t i = 0; model && i < model->n_neighbors; i++) {
		const struct frr_neighbor *n = &model->neighbors[i];
		frr_script_add(
			out, n->mark, "show bgp neighbors %s json", addr_str(&n->address, text));
	}
}

/* ---- Answers ---- */

static void read_daemons(struct frr_show *out, struct frr_answer answer)
{
	char line[256] = {};
	if (!answer.text)
		return;
	memcpy(line, answer.text, answer.len < sizeof(line) ? answer.len : sizeof(line) - 1);
	line[strcspn(line, "\r\n")] = '\0';
	for (size_t i = 0; i < FRR_DAEMONS; i++) {
		out->daemon[i] = text_has(line, frr_daemon_str((enum frr_daemon)i));
		out->daemons_known |= out->daemon[i];
	}
}

/* Who is sent a prefix: a neighbour of the model, or somebody else. */
struct receiver {
	struct frr_show *show;
	const struct prefix *prefix;
};

static struct frr_session *find_session(struct frr_show *show, const char *peer)
{
	struct addr address;
	for (size_t i = 0; addr_parse(peer, &address) == 0 && i < show->n_sessions; i++)
		if (addr_cmp(&show->sessions[i].address, &address) == 0)
			return &show->sessions[i];
	return nullptr;
}

static void add_leak(struct frr_show *show, const char *peer, const struct prefix *prefix)
{
	struct frr_leak leak = {.prefix = *prefix};
	escape_text(peer, strlen(peer), leak.peer, sizeof(leak.peer));
	for (size_t i = 0; i < show->n_leaks; i++)
		if (strcmp(show->leaks[i].peer, leak.peer) == 0)
			return;
	XGROW(show->leaks, show->n_leaks, show->cap_leaks);
	show->leaks[show->n_leaks++] = leak;
}

static void receive(void *userdata, const char *peer)
{
	const struct receiver *r = userdata;
	struct frr_session *session = find_session(r->show, peer);
	if (session)
		session->family[!is_v4(r->prefix)].advertised++;
	else
		add_leak(r->show, peer, r->prefix);
}

static void read_prefix(
	struct frr_show *out, size_t i, struct frr_answer route, struct frr_answer bgp)
{
	struct frr_prefix_state *state = &out->prefixes[i];
	struct receiver receiver = {out, &state->prefix};
	sd_json_variant *v = show_parse(route), *w = show_parse(bgp);
	show_read_route(v, state);
	show_read_bgp(w, state, receive, &receiver);
	sd_json_variant_unref(v);
	sd_json_variant_unref(w);
}

static void prepare(const struct frr_model *model, struct frr_show *out)
{
	*out = (struct frr_show){};
	if (!model)
		return;
	out->n_sessions = model->n_neighbors;
	out->sessions = xcalloc(out->n_sessions, sizeof(*out->sessions));
	for (size_t i = 0; i < out->n_sessions; i++)
		out->sessions[i].address = model->neighbors[i].address;
	out->n_prefixes = model->n_statics;
	out->prefixes = xcalloc(out->n_prefixes, sizeof(*out->prefixes));
	for (size_t i = 0; i < out->n_prefixes; i++)
		out->prefixes[i].prefix = model->statics[i].prefix;
}

void frr_show_read(const struct frr_model *model, const struct frr_script *script, const char *text,
	size_t len, struct frr_show *out)
{
	struct frr_answer *answers = xcalloc(script->n, sizeof(*answers));
	prepare(model, out);
	assert(script->n == GENERAL + 2 * out->n_prefixes + out->n_sessions);
	frr_transcript_cut(script, text, len, answers);
	read_daemons(out, answers[DAEMONS]);
	out->running_config = answers[RUNNING];
	out->bgpd_config = answers[RUNNING_BGPD];
	out->mgmtd_config = answers[RUNNING_MGMTD];
	const struct frr_answer *next = answers + GENERAL;
	for (size_t i = 0; i < out->n_prefixes; i++, next += 2)
		read_prefix(out, i, next[0], next[1]);
	for (size_t i = 0; i < out->n_sessions; i++, next++) {
		sd_json_variant *v = show_parse(*next);
		show_read_session(v, &out->sessions[i]);
		sd_json_variant_unref(v);
	}
	free(answers);
}

void frr_show_clear(struct frr_show *show)
{
	free(show->sessions);
	free(show->prefixes);
	free(show->leaks);
	*show = (struct frr_show){};
}

int frr_show_running(const struct frr_show *show, struct frr_running *out, struct err *err)
{
	int r = frr_running_read(show->running_config.text, show->running_config.len, out, err);
	if (r < 0)
		return r;
	if (show->daemon[FRR_BGPD])
		frr_running_confirm(out, FRR_BGPD, show->bgpd_config.text, show->bgpd_config.len);
	if (show->daemon[FRR_MGMTD])
		frr_running_confirm(
			out, FRR_MGMTD, show->mgmtd_config.text, show->mgmtd_config.len);
	return 0;
}
