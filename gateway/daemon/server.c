/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/server.h"
#include "daemon/answer.h"
#include "daemon/bridge.h"
#include "daemon/diagnoses.h"
#include "daemon/tunnel.h"
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

static const struct {
	const char *name;
	mode_t mode;
	unsigned connections;
} sockets[SERVER_SOCKETS] = {
	[SERVER_STATUS] = {"status", 0666, SERVER_CONNECTIONS_MAX},
	[SERVER_CONTROL] = {"control", 0660, SERVER_CONNECTIONS_MAX},
	[SERVER_BRIDGE] = {"bridge", 0660, SERVER_CONNECTIONS_WORKER},
	[SERVER_TUNNEL] = {"tunnel", 0660, SERVER_CONNECTIONS_WORKER},
};

struct server {
	struct server_context *context;
	struct {
		sd_varlink_server *server;
		char path[108];
	} sockets[SERVER_SOCKETS];
};

/* The userdata of a connection. */
struct client {
	struct server_context *context;
	sd_event_source *silence;
	void (*gone)(void *arg); /* nullptr = nothing waits for this client */
	void *gone_arg;
};

enum {
	STATUS = 1 << SERVER_STATUS,
	CONTROL = 1 << SERVER_CONTROL,
	BRIDGE = 1 << SERVER_BRIDGE,
	TUNNEL = 1 << SERVER_TUNNEL,
};

static const struct method {
	const char *name;
	unsigned sockets; /* that it is bound to */
	sd_varlink_method_t handler;
} methods[] = {
	{API_INTERFACE ".GetStatus", STATUS | CONTROL | BRIDGE | TUNNEL, api_get_status},
	{API_INTERFACE ".Plan", CONTROL, api_plan},
	{API_INTERFACE ".Apply", CONTROL, api_apply},
	{API_INTERFACE ".Confirm", CONTROL, api_confirm},
	{API_INTERFACE ".Undo", CONTROL, api_undo},
	{API_INTERFACE ".Down", CONTROL, api_down},
	{API_INTERFACE ".Diagnose", CONTROL, api_diagnose},
	{API_INTERFACE ".Recall", CONTROL, api_recall},
	{API_INTERFACE ".Doctor", CONTROL, api_doctor},
	{API_INTERFACE ".Fix", CONTROL, api_fix},
	{API_INTERFACE ".Follow", CONTROL, api_follow},
	{API_INTERFACE ".EdgePromote", CONTROL, api_edge_promote},
	{API_INTERFACE ".BridgeAttach", BRIDGE, api_bridge_attach},
	{API_INTERFACE ".BridgeReport", BRIDGE, api_bridge_report},
	{API_INTERFACE ".DiagnoseTarget", BRIDGE, api_diagnose_target},
	{API_INTERFACE ".TunnelAttach", TUNNEL, api_tunnel_attach},
	{API_INTERFACE ".TunnelPropose", TUNNEL, api_tunnel_propose},
	{API_INTERFACE ".TunnelResolve", TUNNEL, api_tunnel_resolve},
	{API_INTERFACE ".TunnelReport", TUNNEL, api_tunnel_report},
};

static int bind_methods(sd_varlink_server *s, enum server_socket which)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (!(methods[i].sockets & 1U << which))
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

/* The mode of the socket says so already; it is here because its group may be missing. */
static int on_worker_connect(sd_varlink_server *s, sd_varlink *link, void *userdata,
	bool (*admits)(const struct server_context *c, uid_t uid))
{
	uid_t uid;
	int r = sd_varlink_get_peer_uid(link, &uid);

	if (r >= 0 && !admits(userdata, uid))
		r = -EPERM;
	if (r >= 0)
		r = sd_varlink_set_allow_fd_passing_output(link, true);
	return r < 0 ? r : on_connect(s, link, userdata);
}

static bool admits_bridge(const struct server_context *c, uid_t uid)
{
	return bridge_admits(c->bridge, uid);
}

static int on_bridge_connect(sd_varlink_server *s, sd_varlink *link, void *userdata)
{
	return on_worker_connect(s, link, userdata, admits_bridge);
}

static bool admits_tunnel(const struct server_context *c, uid_t uid)
{
	return tunnel_admits(c->tunnel, uid);
}

static int on_tunnel_connect(sd_varlink_server *s, sd_varlink *link, void *userdata)
{
	int r = sd_varlink_set_allow_fd_passing_input(link, true);

	return r < 0 ? r : on_worker_connect(s, link, userdata, admits_tunnel);
}

static const sd_varlink_connect_t connects[SERVER_SOCKETS] = {
	[SERVER_STATUS] = on_connect,
	[SERVER_CONTROL] = on_connect,
	[SERVER_BRIDGE] = on_bridge_connect,
	[SERVER_TUNNEL] = on_tunnel_connect,
};

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
	/* A call that wants no answer does not hold up the next one. */
	if (gone && client->gone)
		client->gone(client->gone_arg);
	client->gone = gone;
	client->gone_arg = arg;
}

static int make_server(sd_event *event, enum server_socket which, struct server_context *context,
	sd_varlink_server **out)
{
	sd_varlink_server *s = nullptr;
	int r = sd_varlink_server_new(&s, SD_VARLINK_SERVER_ACCOUNT_UID);
	if (r < 0)
		return r;
	sd_varlink_server_set_userdata(s, context);
	r = sd_varlink_server_bind_connect(s, connects[which]);
	if (r >= 0)
		r = sd_varlink_server_bind_disconnect(s, on_disconnect);
	if (r >= 0)
		r = sd_varlink_server_set_info(s, "meshgw", "meshgwd", MESHGW_VERSION, nullptr);
	if (r >= 0)
		r = sd_varlink_server_add_interface(s, &api_interface);
	if (r >= 0)
		r = bind_methods(s, which);
	if (r >= 0)
		r = sd_varlink_server_set_connections_max(s, sockets[which].connections);
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

static int open_socket(struct server *s, sd_event *event, const char *dir, enum server_socket which,
	struct err *err)
{
	char *path = s->sockets[which].path;
	snprintf(path, sizeof(s->sockets[which].path), "%s/%s", dir, sockets[which].name);
	int r = make_server(event, which, s->context, &s->sockets[which].server);
	if (r < 0)
		return err_set(err, -r, "varlink: %s", strerror(-r));
	return listen_at(s->sockets[which].server, path, sockets[which].mode, err);
}

/* We are in the groups of the workers' users (meshgw.sysusers). Where we are not, only root and we
 * ourselves may attach. */
static int open_worker(struct server *s, sd_event *event, const char *dir, enum server_socket which,
	gid_t group, struct err *err)
{
	const char *path = s->sockets[which].path;
	int r = open_socket(s, event, dir, which, err);
	if (r >= 0 && group != (gid_t)-1 && chown(path, (uid_t)-1, group) < 0)
		log_warn("server", "%s: its user cannot connect: chgrp: %s", path, strerror(errno));
	return r;
}

int server_new(sd_event *event, const char *dir, struct server_context *context,
	struct server **out, struct err *err)
{
	struct server *s = xcalloc(1, sizeof(*s));
	s->context = context;
	context->answers = answers_new(context);
	context->diagnoses = diagnoses_new(event, context);
	int r = open_socket(s, event, dir, SERVER_STATUS, err);
	if (r >= 0)
		r = open_socket(s, event, dir, SERVER_CONTROL, err);
	if (r >= 0 && context->bridge)
		r = open_worker(s, event, dir, SERVER_BRIDGE, bridge_group(context->bridge), err);
	if (r >= 0 && context->tunnel)
		r = open_worker(s, event, dir, SERVER_TUNNEL, tunnel_group(context->tunnel), err);
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
	for (size_t i = 0; i < SERVER_SOCKETS; i++) {
		if (s->sockets[i].server)
			(void)unlink(s->sockets[i].path);
		sd_varlink_server_unref(s->sockets[i].server);
	}
	free(s);
}

int server_no_parameters(sd_varlink *link, sd_json_variant *parameters)
{
	static const sd_json_dispatch_field none[] = {{}};
	return sd_varlink_dispatch(link, parameters, none, nullptr);
}

int server_deny(sd_varlink *link)
{
	return sd_varlink_error(link, SD_VARLINK_ERROR_PERMISSION_DENIED, nullptr);
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

int server_add_connection(struct server *s, enum server_socket which, int fd)
{
	sd_varlink_server *server = s->sockets[which].server;
	void *context = sd_varlink_server_get_userdata(server);
	sd_varlink *link;
	int r = sd_varlink_server_add_connection(server, fd, &link);
	if (r < 0)
		return r;
	return connects[which](server, link, context);
}
