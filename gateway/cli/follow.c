/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/follow.h"
#include "lib/api.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-varlink.h>
#include <unistd.h>

struct following {
	const struct follow *follow;
	sd_event *event;
	struct failure *failure;
};

static int end(struct following *g)
{
	return sd_event_exit(g->event, 0);
}

static int take_reply(sd_varlink *, sd_json_variant *parameters, const char *error,
	sd_varlink_reply_flags_t flags, void *userdata)
{
	struct following *g = userdata;

	if (error && flags & SD_VARLINK_REPLY_LOCAL)
		failure_set(g->failure, EXIT_PROTOCOL,
			strcmp(error, SD_VARLINK_ERROR_DISCONNECTED) == 0
				? "meshgwd closed the connection"
				: "the answer of meshgwd is not valid");
	else if (error)
		failure_from_error(g->failure, error, parameters);
	else if (g->follow->take(g->follow->arg, parameters) < 0)
		failure_set(g->failure, EXIT_PROTOCOL, "the answer of meshgwd makes no sense");
	else if (!(flags & SD_VARLINK_REPLY_CONTINUES))
		failure_set(g->failure, EXIT_PROTOCOL, "meshgwd says no more");
	return g->failure->status == EXIT_DONE ? 0 : end(g);
}

static int add_signals(sd_event *event)
{
	int r = sd_event_add_signal(
		event, nullptr, SIGINT | SD_EVENT_SIGNAL_PROCMASK, nullptr, nullptr);

	if (r >= 0)
		r = sd_event_add_signal(
			event, nullptr, SIGTERM | SD_EVENT_SIGNAL_PROCMASK, nullptr, nullptr);
	return r;
}

static int observe(struct following *g, sd_varlink *link)
{
	const struct client_call *call = &g->follow->call;
	char method[64];
	int r;

	snprintf(method, sizeof(method), API_INTERFACE ".%s", call->method);
	(void)sd_varlink_set_userdata(link, g);
	if ((r = add_signals(g->event)) < 0 ||
		(r = sd_varlink_set_relative_timeout(link, UINT64_MAX)) < 0 ||
		(r = sd_varlink_bind_reply(link, take_reply)) < 0 ||
		(r = sd_varlink_attach_event(link, g->event, SD_EVENT_PRIORITY_NORMAL)) < 0 ||
		(r = sd_varlink_observe(link, method, call->parameters)) < 0)
		return r;
	return sd_event_loop(g->event);
}

enum exit_status follow_run(sd_event *event, const struct follow *follow, struct failure *f)
{
	[[gnu::cleanup(sd_varlink_close_unrefp)]] sd_varlink *link = nullptr;
	struct following g = {.follow = follow, .event = event, .failure = f};
	int fd;
	enum exit_status status = client_connect(&follow->call, &fd, f);

	if (status != EXIT_DONE)
		return status;
	int r = sd_varlink_connect_fd(&link, fd);
	if (r < 0)
		close(fd);
	else
		r = observe(&g, link);
	if (r < 0)
		return failure_set(f, EXIT_REFUSED, "varlink: %s", strerror(-r));
	return f->status;
}
