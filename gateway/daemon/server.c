/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/server.h"
#include "lib/api.h"
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
	char status_path[108], control_path[108];
};

/* After everything else: while a client has more messages waiting, its source is always ready, and
 * sd-event takes it before whatever else of the same priority became ready later. */
constexpr int64_t PRIORITY = SD_EVENT_PRIORITY_NORMAL + 1;

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

static int make_server(
	sd_event *event, bool control, struct server_context *context, sd_varlink_server **out)
{
	sd_varlink_server *s = nullptr;
	int r = sd_varlink_server_new(
		&s, SD_VARLINK_SERVER_ACCOUNT_UID | SD_VARLINK_SERVER_INHERIT_USERDATA);
	if (r < 0)
		return r;
	sd_varlink_server_set_userdata(s, context);
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
		r = sd_varlink_server_attach_event(s, event, PRIORITY);
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
	return sd_varlink_server_add_connection(control ? s->control : s->status, fd, nullptr);
}
