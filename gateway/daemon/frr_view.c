/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_view.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	frr_show_read(model, &call->commands, result->out, result->n_out, &out->show);
	if (!out->show.daemons_known || !out->show.running_config.text)
		return refuse(result, err);
	int r = frr_show_running(&out->show, &out->running, err);
	if (r < 0)
		return r;
	/* The text ends with the run. */
	out->show.running_config = out->show.bgpd_config = out->show.mgmtd_config =
		(struct frr_answer){};
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
