/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/server.h"
#include "daemon/answer.h"
#include "daemon/diagnoses.h"
#include "lib/api.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
	sd_varlink_server *status, *control;
	struct server_context *context;
	char status_path[108], control_path[108];
};

/* The userdata of a connection. */
struct client {
	struct server_context *context;
	sd_event_source *silence;
	void (*gone)(void *arg); /* nullptr = nothing waits for this client */
	void *gone_arg;
};

static const struct method {
	const char *name;
	bool reads; /* bound to the status socket as well */
	sd_varlink_method_t handler;
} methods[] = {
	{API_INTERFACE ".GetStatus", true, api_get_status},
	{API_INTERFACE ".Plan", false, api_plan},
	{API_INTERFACE ".Apply", false, api_apply},
	{API_INTERFACE ".Confirm", false, api_confirm},
	{API_INTERFACE ".Undo", false, api_undo},
	{API_INTERFACE ".Down", false, api_down},
	{API_INTERFACE ".Diagnose", false, api_diagnose},
	{API_INTERFACE ".Recall", false, api_recall},
	{API_INTERFACE ".Doctor", false, api_doctor},
	{API_INTERFACE ".Fix", false, api_fix},
	{API_INTERFACE ".Follow", false, api_follow},
};

static int bind_methods(sd_varlink_server *s, bool control)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (!control && !methods[i].reads)
			continue;
		int r = sd_varlink_server_bind_method(s, methods[i].name, methods[i].handler);
		if (r < 0)
			return r;
	}
	return 0;
}

static uint64_t silence_us(const struct server_context *c)
{
	return c->silence_us ? c->silence_us : SERVER_SILENCE_US;
}

static int on_silence(sd_event_source *, uint64_t, void *userdata)
{
	sd_varlink *link = userdata;
	log_debug("server", "a client said nothing for too long");
	(void)sd_varlink_close(link);
	return 0;
}

/* Other users must not be able to lock root out, how many they may be. */
static bool is_reserved(sd_varlink_server *s, sd_varlink *link)
{
	uid_t uid = 0;
	return sd_varlink_get_peer_uid(link, &uid) >= 0 && uid != 0 &&
	       sd_varlink_server_current_connections(s) >
		       SERVER_CONNECTIONS_MAX - SERVER_CONNECTIONS_ROOT;
}

/* The timer comes after the link itself, so that an answer is on its way before. */
static int on_connect(sd_varlink_server *s, sd_varlink *link, void *userdata)
{
	struct server_context *context = userdata;
	if (is_reserved(s, link))
		return -EBUSY;
	struct client *client = xcalloc(1, sizeof(*client));
	client->context = context;
	sd_varlink_set_userdata(link, client);
	int r = sd_event_add_time_relative(sd_varlink_server_get_event(s), &client->silence,
		CLOCK_MONOTONIC, silence_us(context), 1, on_silence, link);
	return r < 0 ? r : sd_event_source_set_priority(client->silence, SERVER_PRIORITY + 1);
}

static void on_disconnect(sd_varlink_server *, sd_varlink *link, void *)
{
	struct client *client = sd_varlink_get_userdata(link);
	if (!client)
		return;
	if (client->gone)
		client->gone(client->gone_arg);
	sd_event_source_disable_unref(client->silence);
	free(client);
	sd_varlink_set_userdata(link, nullptr);
}

struct server_context *server_heard(void *userdata)
{
	const struct client *client = userdata;
	if (sd_event_source_set_time_relative(client->silence, silence_us(client->context)) < 0)
		abort();
	return client->context;
}

void server_takes(void *userdata, uint64_t us)
{
	const struct client *client = userdata;
	if (sd_event_source_set_time_relative(client->silence, us + silence_us(client->context)) <
		0)
		abort();
}

void server_on_gone(void *userdata, void (*gone)(void *arg), void *arg)
{
	struct client *client = userdata;
	client->gone = gone;
	client->gone_arg = arg;
}

static int make_server(
	sd_event *event, bool control, struct server_context *context, sd_varlink_server **out)
{
	sd_varlink_server *s = nullptr;
	int r = sd_varlink_server_new(&s, SD_VARLINK_SERVER_ACCOUNT_UID);
	if (r < 0)
		return r;
	sd_varlink_server_set_userdata(s, context);
	r = sd_varlink_server_bind_connect(s, on_connect);
	if (r >= 0)
		r = sd_varlink_server_bind_disconnect(s, on_disconnect);
	if (r >= 0)
		r = sd_varlink_server_set_info(s, "meshgw", "meshgwd", MESHGW_VERSION, nullptr);
	if (r >= 0)
		r = sd_varlink_server_add_interface(s, &api_interface);
	if (r >= 0)
		r = bind_methods(s, control);
	if (r >= 0)
		r = sd_varlink_server_set_connections_max(s, SERVER_CONNECTIONS_MAX);
	if (r >= 0)
		r = sd_varlink_server_set_connections_per_uid_max(s, SERVER_CONNECTIONS_PER_UID);
	if (r >= 0)
		r = sd_varlink_server_attach_event(s, event, SERVER_PRIORITY);
	if (r < 0) {
		sd_varlink_server_unref(s);
		return r;
	}
	*out = s;
	return 0;
}

static int listen_at(sd_varlink_server *s, const char *path, mode_t mode, struct err *err)
{
	/* Left behind by a crash; the lock says that no other daemon runs here. */
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	int r = sd_varlink_server_listen_address(s, path, mode);
	if (r < 0)
		return err_set(err, -r, "%s: %s", path, strerror(-r));
	return 0;
}

int server_new(sd_event *event, const char *dir, struct server_context *context,
	struct server **out, struct err *err)
{
	struct server *s = xcalloc(1, sizeof(*s));
	s->context = context;
	context->answers = answers_new(context);
	context->diagnoses = diagnoses_new(event, context);
	snprintf(s->status_path, sizeof(s->status_path), "%s/status", dir);
	snprintf(s->control_path, sizeof(s->control_path), "%s/control", dir);
	int r = make_server(event, false, context, &s->status);
	if (r >= 0)
		r = make_server(event, true, context, &s->control);
	if (r < 0)
		err_set(err, -r, "varlink: %s", strerror(-r));
	if (r >= 0)
		r = listen_at(s->status, s->status_path, 0666, err);
	if (r >= 0)
		r = listen_at(s->control, s->control_path, 0660, err);
	if (r < 0) {
		server_free(s);
		return r;
	}
	*out = s;
	return 0;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	answers_free(s->context->answers);
	s->context->answers = nullptr;
	diagnoses_free(s->context->diagnoses);
	s->context->diagnoses = nullptr;
	if (s->status)
		(void)unlink(s->status_path);
	if (s->control)
		(void)unlink(s->control_path);
	sd_varlink_server_unref(s->status);
	sd_varlink_server_unref(s->control);
	free(s);
}

bool server_drops(sd_varlink *link)
{
	int unread = 0, fd = sd_varlink_get_fd(link);
	if (fd < 0 || ioctl(fd, SIOCOUTQ, &unread) < 0 || unread <= SERVER_UNREAD_MAX)
		return false;
	/* A link cannot be closed inside a method. This one ends when its input is used up. */
	(void)shutdown(fd, SHUT_RDWR);
	return true;
}

int server_add_connection(struct server *s, bool control, int fd)
{
	sd_varlink_server *server = control ? s->control : s->status;
	sd_varlink *link;
	int r = sd_varlink_server_add_connection(server, fd, &link);
	return r < 0 ? r : on_connect(server, link, sd_varlink_server_get_userdata(server));
}
