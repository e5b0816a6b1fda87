/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_conditions.h"
#include "daemon/frr_ops.h"
#include "daemon/frr_presence.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "meshgw.yaml:14:9", or the name alone. */
struct position {
	char text[64];
};

static struct position position_of(struct frr_mark m)
{
	struct position p;
	if (m.line)
		snprintf(p.text, sizeof(p.text), FRR_CONFIG_NAME ":%u:%u", m.line, m.column);
	else
		snprintf(p.text, sizeof(p.text), FRR_CONFIG_NAME);
	return p;
}

/* ---- FRR itself ---- */

static void no_program(struct conditions *out)
{
	conditions_add(out, COND_FRR_NOT_INSTALLED, "frr",
		"there is no " VTYSH_PROGRAM ": nothing can be announced; the kernel's routes do "
		"not need it");
}

static void absence(const struct frr_sync *s, struct conditions *out)
{
	if (!s->installed) {
		no_program(out);
		return;
	}
	const char *name = s->sockets & FRR_SOCKET_ZEBRA ? "bgpd" : "zebra";
	conditions_add(out, COND_BGP_DAEMON_DOWN, name,
		"FRRouting's %s does not run (see " FRR_RUNTIME_DIR ")", name);
}

void frr_conditions_silence(const struct err *why, struct conditions *out)
{
	if (why->code == ENOENT)
		no_program(out);
	else if (why->code == ECONNREFUSED)
		conditions_add(out, COND_BGP_DAEMON_DOWN, "zebra", "%s", why->msg);
	else
		conditions_add(out, COND_FRR_NOT_ANSWERING, "frr", "FRRouting cannot be read: %s",
			why->msg);
}

static void trouble(const struct frr_sync *s, struct conditions *out)
{
	if (s->problem.code && s->closed)
		conditions_add(out, COND_FRR_NOT_ANSWERING, "frr",
			"meshgwd may not use FRRouting's sockets: user meshgw is not in group "
			"frrvty, or was not when meshgwd started");
	else if (s->problem.code && s->view.answered)
		conditions_add(out, COND_FRR_NOT_IN_PLACE, "frr", "%s", s->problem.msg);
	else if (s->problem.code)
		frr_conditions_silence(&s->problem, out);
}

static bool wants_bfd(const struct config_bgp *bgp)
{
	for (size_t i = 0; i < bgp->n_neighbors; i++)
		if (bgp->neighbors[i].bfd)
			return true;
	return false;
}

static void missing_daemons(const struct frr_sync *s, struct conditions *out)
{
	if (!s->view.answered || !s->config)
		return;
	const char *name = frr_view_missing(&s->view);
	if (name)
		conditions_add(out, COND_BGP_DAEMON_DOWN, name,
			"FRRouting's %s does not answer; what it has to do with stays as it is",
			name);
	if (wants_bfd(&s->config->bgp) && !s->view.show.daemon[FRR_BFDD])
		conditions_add(out, COND_BGP_DAEMON_DOWN, "bfdd",
			"FRRouting's bfdd does not run: sessions go without BFD");
}

void frr_conditions_passwords(
	const struct config *config, const struct frr_secrets *secrets, struct conditions *out)
{
	for (size_t i = 0; config && i < secrets->n; i++) {
		char text[ADDR_STRLEN];
		const struct config_neighbor *n = &config->bgp.neighbors[i];
		struct frr_mark mark = {n->password_mark.line, n->password_mark.column};
		if (secrets->list[i].problem[0])
			conditions_add(out, COND_BGP_PASSWORD_UNREADABLE,
				addr_str(&n->address, text), "%s: %.160s", position_of(mark).text,
				secrets->list[i].problem);
	}
}

/* ---- what is not in place ---- */

/* mgmtd's own words (lib/vty.c, mgmtd/mgmt_txn.c of FRR 10.3): not the line is wrong, nothing is
 * taken. */
static bool is_locked(const struct frr_refused *r)
{
	return strstr(r->why, "command failed, could not lock ") ||
	       strstr(r->why, "Backend daemon disconnected while processing commit");
}

static const char *lock_said(const struct frr_sync *s)
{
	for (size_t i = 0; i < s->n_refused; i++)
		if (is_locked(&s->refused[i]))
			return s->refused[i].why;
	return s->write_error == ETIME ? "vtysh does not end" : nullptr;
}

static void lock(const struct frr_sync *s, struct conditions *out)
{
	const char *said = lock_said(s);
	if (!said || s->in_place)
		return;
	conditions_add(out, COND_FRR_CONFIG_LOCKED, "mgmtd",
		"FRRouting takes no configuration: %.90s; another session holds mgmtd's lock, or "
		"mgmtd waits for a daemon that it lost; what FRR has stays",
		said);
}

/* Of a neighbour that was refused all else is refused, too. */
static bool follows(const struct frr_refused *r)
{
	return strstr(r->why, "Specify remote-as or peer-group commands first");
}

static void refusals(const struct frr_sync *s, struct conditions *out)
{
	for (size_t i = 0; i < s->n_refused; i++) {
		const struct frr_refused *r = &s->refused[i];
		struct position at = position_of(r->mark);
		if (follows(r) || is_locked(r) ||
			conditions_find(out, COND_FRR_CONFIG_REJECTED, at.text))
			continue;
		conditions_add(out, COND_FRR_CONFIG_REJECTED, at.text,
			"%s: FRRouting refuses \"%.80s\": %.90s", at.text,
			r->line + strspn(r->line, " "), r->why);
	}
}

static void difference(const struct frr_sync *s, struct conditions *out)
{
	struct ops ops = {};
	char name[OP_NAME_LEN];
	if (s->in_place || !s->failures || !s->view.answered || s->problem.code || lock_said(s))
		return;
	frr_ops_add(&s->diff, &s->view.running, &ops);
	if (ops.n)
		conditions_add(out, COND_FRR_NOT_IN_PLACE, "frr",
			"FRRouting did not take %zu of our statements; the first is to %s %s",
			ops.n, op_action_str(ops.list[0].action), op_name(&ops.list[0], name));
	ops_clear(&ops);
}

static void fight(const struct frr_sync *s, struct conditions *out)
{
	if (s->contested)
		conditions_add(out, COND_STATE_CONTESTED, "frr",
			"somebody keeps changing our part of FRRouting's configuration (%u times); "
			"it is mended once a minute",
			s->n_repairs);
}

/* ---- findings ---- */

static void other_asn(const struct frr_finding *f, struct conditions *out)
{
	conditions_add(out, COND_FRR_ASN_MISMATCH, "frr",
		"%s: FRRouting has router bgp %u already; nothing is announced",
		position_of(f->mark).text, f->asn);
}

static void other_router_id(const struct frr_finding *f, struct conditions *out)
{
	conditions_add(out, COND_FRR_NOT_IN_PLACE, "router_id",
		"%s: FRRouting's own configuration has another one, which stays: %s",
		position_of(f->mark).text, f->text);
}

static void foreign_neighbor(const struct frr_finding *f, struct conditions *out)
{
	conditions_add(out, COND_FRR_NEIGHBOR_FOREIGN, f->peer,
		"%s: FRRouting has this neighbour from somebody else; it is left alone and gets "
		"nothing from meshgw",
		position_of(f->mark).text);
}

static void dynamic_neighbor(const struct frr_finding *f, struct conditions *out)
{
	char text[PREFIX_STRLEN];
	conditions_add(out, COND_FRR_NEIGHBOR_FOREIGN, f->peer,
		"%s: FRRouting has this neighbour by somebody's \"bgp listen range %s\" and takes no "
		"statement about it; keep it out of the range, or remove the listen range",
		position_of(f->mark).text, prefix_str(&f->prefix, text));
}

static void foreign_setting(const struct frr_finding *f, struct conditions *out)
{
	conditions_add(out, COND_FRR_NEIGHBOR_FOREIGN, f->peer,
		"FRRouting has a statement about our neighbour that is not ours and may change "
		"what it is sent: %s",
		f->text);
}

static void foreign_prefix(const struct frr_finding *f, struct conditions *out)
{
	char text[PREFIX_STRLEN];
	conditions_add(out, COND_FRR_STATIC_FOREIGN, prefix_str(&f->prefix, text),
		"FRRouting has this without meshgw, which uses it and will not remove it: %s",
		f->text);
}

static void leak(const struct frr_finding *f, struct conditions *out)
{
	conditions_add(out, COND_RANGES_LEAK_TO_FOREIGN_NEIGHBOUR, f->peer,
		"neighbour %s is not in meshgw.yaml and is sent the mesh ranges%s%s", f->peer,
		*f->text ? ": " : "", f->text);
}

static void import_check_off(const struct frr_finding *f, struct conditions *out)
{
	conditions_add(out, COND_FRR_IMPORT_CHECK_OFF, "frr",
		"FRRouting announces what it has no route for (%s); meshgw withdraws what the "
		"kernel lacks",
		*f->text ? f->text : "no bgp network import-check");
}

void frr_conditions_findings(const struct frr_diff *diff, struct conditions *out)
{
	static void (*const add[FRR_FINDING_CODES])(
		const struct frr_finding *f, struct conditions *out) = {
		[FRR_FOUND_OTHER_ASN] = other_asn,
		[FRR_FOUND_OTHER_ROUTER_ID] = other_router_id,
		[FRR_FOUND_FOREIGN_NEIGHBOR] = foreign_neighbor,
		[FRR_FOUND_DYNAMIC_NEIGHBOR] = dynamic_neighbor,
		[FRR_FOUND_FOREIGN_SETTING] = foreign_setting,
		[FRR_FOUND_FOREIGN_STATIC] = foreign_prefix,
		[FRR_FOUND_FOREIGN_NETWORK] = foreign_prefix,
		[FRR_FOUND_LEAK] = leak,
		[FRR_FOUND_IMPORT_CHECK_OFF] = import_check_off,
	};
	for (size_t i = 0; i < diff->n_findings; i++)
		add[diff->findings[i].code](&diff->findings[i], out);
}

void frr_conditions_taking(const struct frr_sync *s, struct conditions *out)
{
	if (s->state == FRR_OFF || s->removed || (s->state == FRR_ABSENT && !s->config))
		return;
	frr_conditions_passwords(s->config, &s->secrets, out);
	if (s->state == FRR_ABSENT) {
		absence(s, out);
		return;
	}
	trouble(s, out);
	missing_daemons(s, out);
	lock(s, out);
	refusals(s, out);
	difference(s, out);
	fight(s, out);
	if (s->config && s->view.answered)
		frr_conditions_findings(&s->diff, out);
}

void frr_conditions_collect(const struct frr_sync *s, struct conditions *out)
{
	frr_conditions_taking(s, out);
	if (s->config && s->view.answered)
		frr_sessions_collect(s, out);
}
