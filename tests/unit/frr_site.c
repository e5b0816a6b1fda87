/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/frr_conditions.h"
#include "daemon/frr_presence.h"
#include "frr/render.h"
#include "frr_site.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "world.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char frr_site_bgp[] =
	"lan: [{interface: eth0, networks: [10.0.1.0/24]}]\n"
	"return_path: masquerade\n"
	"bgp: {asn: 65010, neighbors: [{address: 10.0.1.1, remote_as: external}]}\n";
const char frr_site_daemons[] = " mgmtd zebra bgpd staticd bfdd";
static const char foreign[] = "frr version 10.3\nfrr defaults traditional\nhostname gw1\n!\n"
			      "ip route 192.0.2.0/24 Null0\n!\n";

int frr_site_save(void *arg, const struct frr_memory *memory, struct err *err)
{
	struct frr_site *s = arg;

	if (s->save_error)
		return err_set(err, s->save_error, "no space");
	s->saved = *memory;
	s->saves++;
	return 0;
}

void frr_site_set_ours(struct frr_site *s, const char *text)
{
	free(s->ours);
	s->ours = xstrdup(text);
}

/* What of ours stands in FRR once it took a script: the same objects as in a complete frr.conf. */
static void take_script(struct frr_site *s)
{
	struct frr_built built;
	struct frr_script script = {};

	s->bgpd_lost = false;
	if (!s->sync.config) {
		frr_site_set_ours(s, "");
		return;
	}
	frr_model_build(s->sync.config, s->sync.routes.announce, &s->sync.secrets, nullptr, &built);
	frr_render(&built.model, true, &script);
	autofree char *text = frr_script_text(&script, true, nullptr);
	frr_site_set_ours(s, text);
	frr_script_clear(&script);
	frr_built_clear(&built);
}

static void print_config(FILE *f, const char *ours)
{
	fprintf(f, "Building configuration...\n\nCurrent configuration:\n!\n%s%send\n", foreign,
		ours);
}

/* vtysh echoes each line behind its prompt. */
static void answer_line(struct frr_site *s, const char *line, FILE *f)
{
	fprintf(f, "gw1# %s\n", line);
	if (!strcmp(line, "show daemons"))
		fprintf(f, "%s\n", s->daemons);
	else if (!strcmp(line, "show running-config bgpd"))
		print_config(f, s->bgpd_lost ? "" : s->ours);
	else if (!strncmp(line, "show running-config", 19))
		print_config(f, s->ours);
	else if (s->path && !strcmp(line, "show bgp ipv4 unicast 100.64.0.0/12 json"))
		fprintf(f, "%s\n", s->path);
	else if (!strcmp(line, "show bgp neighbors 10.0.1.1 json"))
		fprintf(f, "%s\n", s->session);
	else
		fputs("{}\n", f);
}

/* What mgmtd would take is refused, and said behind its echo. */
static void refuse_line(struct frr_site *s, const char *line, FILE *f)
{
	bool mgmtd = strstr(line, "ip route ") || strstr(line, "prefix-list MESHGW");

	fprintf(f, "gw1(config)# %s\n", line);
	if (s->refuses && mgmtd)
		fprintf(f, "%s\n", s->refuses);
}

static char *answer_lines(struct frr_site *s, const char *script,
	void (*each)(struct frr_site *s, const char *line, FILE *f))
{
	autofree char *copy = xstrdup(script);
	char *out = nullptr, *rest = copy;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	assert_non_null(f);
	for (char *line; (line = strsep(&rest, "\n"));)
		if (*line)
			each(s, line, f);
	fputs("gw1# \n", f);
	assert_int_equal(fclose(f), 0);
	return out;
}

static void write_script(struct frr_site *s, const char *script)
{
	s->writes++;
	s->saved_before_write = s->saved.touched;
	snprintf(s->script, sizeof(s->script), "%s", script);
	if (s->cut_at)
		frr_site_set_ours(s, s->cut_at);
	else if (!s->deaf && !s->refuses && !s->error)
		take_script(s);
}

static void answer(struct frr_site *s, const struct vtysh_request *q)
{
	autofree char *out = nullptr;
	char nothing[] = "";
	bool writes = s->sync.state == FRR_WRITING;

	assert_int_equal(strlen(q->script), q->script_len);
	if (writes)
		write_script(s, q->script);
	else
		s->reads++;
	if (s->error || (writes && !s->refuses))
		out = xstrdup("");
	else if (s->garbage)
		out = xstrdup(s->garbage);
	else
		out = answer_lines(s, q->script, writes ? refuse_line : answer_line);
	int error = writes && s->cut_at ? ETIME : s->error;
	if (writes)
		s->cut_at = nullptr;
	struct vtysh_result result = {
		.error = error, .out = out, .err = nothing, .n_out = strlen(out)};
	frr_sync_done(&s->sync, &result, s->w.now_us);
}

/* What the loop would do now. */
void frr_site_step(struct frr_site *s)
{
	struct vtysh_request q;

	frr_sync_kernel(&s->sync, s->w.now_us);
	while (frr_sync_next(&s->sync, s->w.now_us, &q))
		answer(s, &q);
}

/* So much time, each moment at which something is due. */
void frr_site_run(struct frr_site *s, uint64_t duration_us)
{
	uint64_t end = s->w.now_us + duration_us;

	frr_site_step(s);
	for (;;) {
		uint64_t wake = frr_sync_wake(&s->sync);
		if (!wake || wake > end)
			break;
		if (wake > s->w.now_us)
			s->w.now_us = wake;
		frr_site_step(s);
	}
	s->w.now_us = end;
}

void frr_site_there(struct frr_site *s, unsigned sockets, uint64_t age_us)
{
	struct frr_there t = {.installed = true, .sockets = sockets, .age_us = age_us};
	frr_sync_presence(&s->sync, &t, true, s->w.now_us);
}

/* FRR has just come. */
void frr_site_present(struct frr_site *s)
{
	frr_site_there(s, FRR_SITE_SOCKETS, 0);
}

void frr_site_configure(struct frr_site *s, const char *text)
{
	world_enter(&s->w, text);
	world_run(&s->w, 0);
	frr_site_step(s);
}

bool frr_site_stands(struct frr_site *s, enum condition_code code)
{
	struct conditions found = {};
	bool any = false;

	frr_conditions_collect(&s->sync, &found);
	for (size_t i = 0; i < found.n; i++)
		any |= found.list[i].code == code;
	conditions_clear(&found);
	return any;
}

bool frr_site_says(struct frr_site *s, enum condition_code code, const char *words)
{
	struct conditions found = {};
	bool any = false;

	frr_conditions_collect(&s->sync, &found);
	for (size_t i = 0; i < found.n; i++)
		any |= found.list[i].code == code && strstr(found.list[i].message, words);
	conditions_clear(&found);
	return any;
}

void frr_site_up(struct frr_site *s)
{
	frr_site_configure(s, frr_site_bgp);
	frr_site_present(s);
	frr_site_run(s, FRR_SITE_SETTLE_US);
	assert_true(s->sync.in_place);
}

int frr_site_setup(void **state)
{
	struct frr_site *s = xcalloc(1, sizeof(*s));

	world_init(&s->w, world_host);
	frr_sync_init(&s->sync, &s->w.gateway, frr_site_save, s);
	s->daemons = frr_site_daemons;
	s->session = "{}";
	frr_site_set_ours(s, "");
	*state = s;
	return 0;
}

int frr_site_teardown(void **state)
{
	struct frr_site *s = *state;

	frr_sync_clear(&s->sync);
	world_clear(&s->w);
	free(s->ours);
	free(s);
	return 0;
}
