/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/call.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <systemd/sd-varlink.h>

struct call {
	sd_varlink *link;
	void (*done)(void *arg, sd_json_variant *reply, const char *error);
	void *arg;
};

static int on_reply(sd_varlink *, sd_json_variant *parameters, const char *error,
	sd_varlink_reply_flags_t, void *userdata)
{
	struct call *c = userdata;

	c->done(c->arg, error ? nullptr : parameters, error);
	call_cancel(c);
	return 0;
}

static int begin(struct call *c, sd_event *event, const struct call_request *r)
{
	int error = sd_varlink_connect_address(&c->link, r->socket);

	if (error < 0)
		return error;
	sd_varlink_set_userdata(c->link, c);
	error = sd_varlink_set_relative_timeout(c->link, r->timeout_us);
	if (error >= 0)
		error = sd_varlink_bind_reply(c->link, on_reply);
	if (error >= 0)
		error = sd_varlink_attach_event(c->link, event, SD_EVENT_PRIORITY_NORMAL);
	return error < 0 ? error : sd_varlink_invoke(c->link, r->method, r->parameters);
}

int call_new(sd_event *event, const struct call_request *request, struct call **out)
{
	struct call *c = xcalloc(1, sizeof(*c));

	c->done = request->done;
	c->arg = request->arg;
	int error = begin(c, event, request);
	if (error < 0) {
		call_cancel(c);
		return error;
	}
	*out = c;
	return 0;
}

void call_cancel(struct call *c)
{
	if (!c)
		return;
	sd_varlink_close_unref(c->link);
	free(c);
}
