/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_frr: what frr/ makes of models and of what FRR says.
 *
 *   MODEL.conf               the shared model as `meshgw frr render` prints it
 *   diff/CASE.MODEL.running  a running configuration of FRR 10.3; beside it CASE.MODEL.script: what
 *                            leads from there to the model ("none": nothing of ours is left), and
 *                            what is found
 *   show/CASE.out            one look at FRR 10.3, recorded; beside it CASE.facts
 *   refused/CASE.out         what vtysh 10.3 printed for CASE.in; beside it CASE.refusals
 *
 * A line "! ours" in a running configuration says that we created `router bgp` and `bfd`.
 */
#include "../unit/frr_models.h"
#include "frr/diff.h"
#include "frr/output.h"
#include "frr/render.h"
#include "frr/show.h"
#include "golden.h"
#include "lib/own.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Models ---- */

static void check_models(struct golden *g)
{
	for (size_t i = 0; i < FRR_MODELS; i++) {
		struct frr_script script = {};
		frr_render(&frr_models()[i].model, false, &script);
		autofree char *text = frr_script_text(&script, false, nullptr);
		golden_check(g, frr_models()[i].name, ".conf", text);
		frr_script_clear(&script);
	}
}

/* ---- Differences ---- */

static void print_diff(FILE *out, const struct frr_diff *diff)
{
	autofree char *script = frr_script_text(&diff->script, false, nullptr);
	char prefix[PREFIX_STRLEN];
	fprintf(out, "%s", script);
	for (size_t i = 0; i < diff->n_findings; i++) {
		const struct frr_finding *f = &diff->findings[i];
		fprintf(out, "# %s at %" PRIu32 ":%" PRIu32, frr_finding_code_str(f->code),
			f->mark.line, f->mark.column);
		if (f->peer[0])
			fprintf(out, " peer=%s", f->peer);
		if (f->prefix.addr.family)
			fprintf(out, " prefix=%s", prefix_str(&f->prefix, prefix));
		if (f->asn)
			fprintf(out, " asn=%" PRIu32, f->asn);
		fprintf(out, " \"%s\"\n", f->text);
	}
	fprintf(out, "# ours: bgp %s, bfd %s\n", diff->created.bgp ? "yes" : "no",
		diff->created.bfd ? "yes" : "no");
}

static void check_diff(const char *path, const char *text, size_t len, FILE *out)
{
	struct frr_running running;
	struct err err;
	const char *stem = strrchr(path, '/') + 1;
	const char *dot = strchr(stem, '.');
	autofree char *model = strndup(dot + 1, strcspn(dot + 1, "."));
	bool ours = strstr(text, "! ours");
	if (frr_running_read(text, len, &running, &err) < 0) {
		fprintf(out, "# refused: %s\n", err.msg);
		return;
	}
	struct frr_diff diff;
	frr_diff(
		&(struct frr_diff_input){
			.model = frr_model(model), .running = &running, .created = {ours, ours}},
		&diff);
	print_diff(out, &diff);
	frr_diff_clear(&diff);
	frr_running_clear(&running);
}

/* ---- Looks at FRR ---- */

static void print_prefix(FILE *out, const struct frr_prefix_state *p)
{
	char text[PREFIX_STRLEN];
	fprintf(out, "%s:", prefix_str(&p->prefix, text));
	fprintf(out, "%s%s", p->in_bgp ? " in-bgp" : "", p->in_rib ? " in-rib" : "");
	fprintf(out, "%s%s%s", p->static_ours ? " static" : "",
		p->static_selected ? " selected" : "", p->static_installed ? " installed" : "");
	fprintf(out, "%s best=%s if=%s\n", p->static_foreign ? " foreign-static" : "", p->selected,
		p->interface);
}

static void print_family(FILE *out, const char *name, const struct frr_session_family *f)
{
	if (!f->active)
		return;
	fprintf(out, "  %s accepted=%" PRIu32 " sent=%" PRIu32 " advertised=%" PRIu32 "%s%s%s\n",
		name, f->accepted, f->sent, f->advertised,
		f->policy_missing_in ? " no-policy-in" : "",
		f->policy_missing_out ? " no-policy-out" : "",
		f->default_sent ? " default-sent" : "");
}

static void print_session(FILE *out, const struct frr_session *s)
{
	char text[ADDR_STRLEN], hop[ADDR_STRLEN] = "none", range[PREFIX_STRLEN];
	if (s->next_hop6.family)
		addr_str(&s->next_hop6, hop);
	fprintf(out, "%s: %s%s as=%" PRIu32 " up=%" PRIu64 "ms bfd=%s next-hop6=%s\n",
		addr_str(&s->address, text), frr_session_state_str(s->state),
		s->admin_down ? " admin-down" : "", s->remote_as, s->uptime_ms,
		!s->has_bfd ? "none"
		: s->bfd_up ? "up"
			    : "down",
		hop);
	if (s->listen_range.addr.family)
		fprintf(out, "  by listen range %s\n", prefix_str(&s->listen_range, range));
	print_family(out, "ipv4", &s->family[0]);
	print_family(out, "ipv6", &s->family[1]);
	fprintf(out,
		"  established=%" PRIu32 " dropped=%" PRIu32 " notifications=%" PRIu32 "/%" PRIu32
		"\n",
		s->established, s->dropped, s->notifications_sent, s->notifications_received);
	if (s->reset.known)
		fprintf(out, "  reset %" PRIu64 "ms ago: \"%s\" %u/%u%s \"%s\"\n", s->reset.age_ms,
			s->reset.due_to, s->reset.code, s->reset.subcode,
			s->reset.received ? " received" : "", s->reset.notification);
}

/* What is shown as ours, and a daemon that matters has lost. */
static void print_lost(FILE *out, const struct frr_show *show)
{
	struct frr_running running;
	size_t ours = 0, bgpd = 0, mgmtd = 0;
	if (frr_show_running(show, &running, nullptr) < 0)
		return;
	for (size_t i = 0; i < running.n; i++) {
		ours += running.list[i].ours;
		bgpd += running.list[i].ours && !running.list[i].in_bgpd;
		mgmtd += running.list[i].ours && !running.list[i].in_mgmtd;
	}
	fprintf(out, "ours: %zu statements, bgpd lacks %zu, mgmtd %zu\n", ours, bgpd, mgmtd);
	frr_running_clear(&running);
}

static void check_show(const char *, const char *text, size_t len, FILE *out)
{
	const struct frr_model *model = frr_model("full");
	struct frr_script script = {};
	struct frr_show show;
	char prefix[PREFIX_STRLEN];
	frr_show_commands(model, &script);
	frr_show_read(model, &script, text, len, &show);
	fprintf(out, "daemons:");
	for (size_t i = 0; i < FRR_DAEMONS; i++)
		if (show.daemon[i])
			fprintf(out, " %s", frr_daemon_str((enum frr_daemon)i));
	fprintf(out, "\nrunning configuration: %zu bytes\n", show.running_config.len);
	print_lost(out, &show);
	for (size_t i = 0; i < show.n_prefixes; i++)
		print_prefix(out, &show.prefixes[i]);
	for (size_t i = 0; i < show.n_sessions; i++)
		print_session(out, &show.sessions[i]);
	for (size_t i = 0; i < show.n_leaks; i++)
		fprintf(out, "leak: %s %s\n", show.leaks[i].peer,
			prefix_str(&show.leaks[i].prefix, prefix));
	frr_show_clear(&show);
	frr_script_clear(&script);
}

/* ---- Refusals ---- */

/* Each line at its own number; a password is a secret. */
static void read_script(const char *path, struct frr_script *script)
{
	autofree char *name = nullptr;
	if (asprintf(&name, "%.*s.in", (int)(strlen(path) - strlen(".out")), path) < 0)
		abort();
	autofree char *text = golden_read(name, nullptr);
	uint32_t n = 0;
	for (char *line = text ? strtok(text, "\n") : nullptr; line; line = strtok(nullptr, "\n")) {
		const char *secret = strstr(line, " password ");
		size_t shown = secret ? (size_t)(secret - line) + strlen(" password")
				      : strlen(line);
		frr_script_add_secret(script, (struct frr_mark){++n, 1}, "", line, shown);
	}
}

static void check_refused(const char *path, const char *text, size_t len, FILE *out)
{
	struct frr_script script = {};
	struct frr_refusal refusals[32];
	char line[256];
	read_script(path, &script);
	size_t n = frr_output_read(&script, text, len, refusals, 32);
	fprintf(out, "%zu of %zu lines refused\n", n, script.n);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%" PRIu32 ": %s\n\t%s\n", refusals[i].line->mark.line,
			frr_line_str(refusals[i].line, line, sizeof(line)), refusals[i].text);
	frr_script_clear(&script);
}

/* ---- Folders ---- */

static const struct kind {
	const char *pattern, *from, *to;
	void (*check)(const char *path, const char *text, size_t len, FILE *out);
} kinds[] = {
	{"diff/*.running", ".running", ".script", check_diff},
	{"show/*.out", ".out", ".facts", check_show},
	{"refused/*.out", ".out", ".refusals", check_refused},
};

static void run_case(struct golden *g, const char *stem, const void *arg)
{
	const struct kind *kind = arg;
	char path[PATH_MAX], *made = nullptr;
	size_t len, n;
	autofree char *text = golden_read(golden_path(g, stem, kind->from, path), &len);
	FILE *out = open_memstream(&made, &n);

	if (!text || !out)
		abort();
	kind->check(path, text, len, out);
	fclose(out);
	golden_check(g, stem, kind->to, made);
	free(made);
}

int main(int argc, char **argv)
{
	struct golden g;

	if (!golden_begin(&g, argc, argv))
		return GOLDEN_USAGE;
	check_models(&g);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		golden_each(&g, kinds[i].pattern, run_case, &kinds[i]);
	return golden_end(&g);
}
