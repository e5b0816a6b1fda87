/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_view.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char show_bgpd[] = "show running-config bgpd";

/* ---- calls ---- */

static void set_request(struct frr_call *call, const struct frr_script *script)
{
	/* A history file would keep each line of a script, with its password. */
	static const char *const arguments[] = {
		"--config_dir=/nonexistent", "-H", "/dev/null", nullptr};
	size_t len;
	call->text = frr_script_input(script, &len);
	call->request = (struct vtysh_request){.arguments = arguments,
		.script = call->text,
		.script_len = len,
		.timeout_us = VTYSH_TIMEOUT_US};
}

void frr_call_read(struct frr_call *call, const struct frr_model *model)
{
	frr_call_clear(call);
	frr_script_add(&call->commands, (struct frr_mark){}, "%s", show_bgpd);
	frr_show_commands(model, &call->commands);
	set_request(call, &call->commands);
}

void frr_call_write(struct frr_call *call, const struct frr_script *script)
{
	frr_call_clear(call);
	set_request(call, script);
}

void frr_call_clear(struct frr_call *call)
{
	if (call->text)
		explicit_bzero(call->text, call->request.script_len);
	free(call->text);
	frr_script_clear(&call->commands);
	*call = (struct frr_call){};
}

/* ---- what a reading showed ---- */

static bool is_policy(const struct frr_statement *s)
{
	static const char *const begins[] = {"route-map ", "ip prefix-list ", "ipv6 prefix-list "};
	const char *head = s->block[0] ? s->block : s->text;
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (!strncmp(head, begins[i], strlen(begins[i])))
			return true;
	return false;
}

static bool has(const struct frr_running *running, const struct frr_statement *s)
{
	for (size_t i = 0; i < running->n; i++)
		if (!strcmp(running->list[i].text, s->text) &&
			!strcmp(running->list[i].block, s->block))
			return true;
	return false;
}

void frr_view_effective(const struct frr_view *view, struct frr_running *out)
{
	const struct frr_running *all = &view->running;
	*out = *all;
	out->list = xcalloc(all->n, sizeof(*out->list));
	out->n = 0;
	for (size_t i = 0; i < all->n; i++) {
		const struct frr_statement *s = &all->list[i];
		bool lost = view->bgpd.text && s->ours && is_policy(s) && !has(&view->bgpd, s);
		if (!lost)
			out->list[out->n++] = *s;
	}
}

static void read_bgpd(
	struct frr_view *view, const struct frr_call *call, const struct vtysh_result *result)
{
	autofree struct frr_answer *answers = xcalloc(call->commands.n, sizeof(*answers));
	frr_transcript_cut(&call->commands, result->out, result->n_out, answers);
	struct frr_answer a = frr_transcript_find(&call->commands, answers, show_bgpd);
	if (a.text && frr_running_read(a.text, a.len, &view->bgpd, nullptr) < 0)
		view->bgpd = (struct frr_running){};
}

static int refuse(const struct vtysh_result *result, struct err *err)
{
	if (result->error == ETIME)
		return err_set(err, ETIME, "vtysh does not end");
	if (result->error == EMSGSIZE)
		return err_set(err, EMSGSIZE, "vtysh does not stop talking");
	if (result->error)
		return err_set(err, result->error, "vtysh: %s", strerror(result->error));
	if (strstr(result->out, "failed to connect to any daemons") ||
		strstr(result->err, "failed to connect to any daemons"))
		return err_set(err, ECONNREFUSED, "no daemon of FRRouting answers");
	return err_set(err, EPROTO, "vtysh (exit status %d) says nothing that makes sense",
		result->status);
}

static int read_all(struct frr_view *out, const struct frr_model *model,
	const struct frr_call *call, const struct vtysh_result *result, struct err *err)
{
	if (result->error)
		return refuse(result, err);
	/* Behind our own question. */
	struct frr_script shows = {.lines = call->commands.lines + 1, .n = call->commands.n - 1};
	frr_show_read(model, &shows, result->out, result->n_out, &out->show);
	const struct frr_answer *config = &out->show.running_config;
	if (!out->show.daemons_known || !config->text)
		return refuse(result, err);
	int r = frr_running_read(config->text, config->len, &out->running, err);
	if (r < 0)
		return r;
	read_bgpd(out, call, result);
	out->show.running_config = (struct frr_answer){}; /* the text ends with the run */
	out->answered = true;
	return 0;
}

int frr_view_read(struct frr_view *out, const struct frr_model *model, const struct frr_call *call,
	const struct vtysh_result *result, struct err *err)
{
	*out = (struct frr_view){};
	int r = read_all(out, model, call, result, err);
	if (r < 0)
		frr_view_clear(out);
	return r;
}

void frr_view_clear(struct frr_view *view)
{
	frr_running_clear(&view->running);
	frr_running_clear(&view->bgpd);
	frr_show_clear(&view->show);
	*view = (struct frr_view){};
}

const char *frr_view_missing(const struct frr_view *view)
{
	static const enum frr_daemon needed[] = {FRR_ZEBRA, FRR_MGMTD, FRR_STATICD, FRR_BGPD};
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!view->show.daemon[needed[i]])
			return frr_daemon_str(needed[i]);
	return nullptr;
}
