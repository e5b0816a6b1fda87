/* SPDX-License-Identifier: Apache-2.0 */
#include "attach.h"
#include "lib/api.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-varlink.h>
#include <unistd.h>

constexpr uint64_t FIRST_US = 100'000;
constexpr uint64_t LAST_US = 5'000'000;

struct attach {
	sd_event *event;
	const char *socket;
	struct attach_events events;
	sd_varlink *link;
	sd_event_source *again;
	uint64_t pause_us;
	bool up;
};

struct sockets {
	int fds[ATTACH_SOCKETS_MAX];
	unsigned n;
};

static void sockets_close(struct sockets *s)
{
	for (unsigned i = 0; i < s->n; i++)
		close(s->fds[i]);
	s->n = 0;
}

/* An entry without a descriptor says only why nothing listens there. */
static int take_socket(sd_varlink *link, sd_json_variant *listener, struct sockets *out)
{
	sd_json_variant *index = sd_json_variant_by_key(listener, "fd");

	if (!index || sd_json_variant_is_null(index))
		return 0;
	if (!sd_json_variant_is_unsigned(index) || out->n == ATTACH_SOCKETS_MAX)
		return -EBADMSG;
	int fd = sd_varlink_peek_dup_fd(link, (size_t)sd_json_variant_unsigned(index));
	int listens = 0;
	socklen_t len = sizeof(listens);
	if (fd < 0)
		return -EBADMSG;
	out->fds[out->n++] = fd;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0 || !listens)
		return -EBADMSG;
	return 0;
}

static int take_sockets(sd_varlink *link, sd_json_variant *list, struct sockets *out)
{
	int r = sd_json_variant_is_array(list) ? 0 : -EBADMSG;

	for (size_t i = 0; r == 0 && i < sd_json_variant_elements(list); i++)
		r = take_socket(link, sd_json_variant_by_index(list, i), out);
	return r;
}

static int read_config(
	sd_json_variant *parameters, const struct bridge_config **out, struct err *err)
{
	sd_json_variant *bridge = sd_json_variant_by_key(parameters, "bridge");

	if (!bridge || sd_json_variant_is_null(bridge))
		return 0;
	return bridge_config_from_json(bridge, out, err);
}

static void hear(struct attach *a, sd_json_variant *parameters)
{
	const struct bridge_config *config = nullptr;
	struct sockets sockets = {};
	struct err err = {};

	if (take_sockets(a->link, sd_json_variant_by_key(parameters, "listeners"), &sockets) < 0)
		err_set(&err, EBADMSG, "listeners: not what was agreed");
	else
		(void)read_config(parameters, &config, &err);
	if (err.code) {
		log_err("attach", "what meshgwd says is not understood, nothing changes: %s",
			err.msg);
		a->events.refused(a->events.arg);
	} else {
		a->events.told(a->events.arg, config, sockets.fds, sockets.n);
	}
	sockets_close(&sockets);
}

/* Connecting. */

static void look_again(struct attach *a);

static void hang_up(struct attach *a)
{
	if (a->up) {
		log_warn("attach", "meshgwd is gone; what it said last is served on");
		a->events.gone(a->events.arg);
	}
	a->up = false;
	a->link = sd_varlink_close_unref(a->link);
}

static int on_reply(sd_varlink *, sd_json_variant *parameters, const char *error,
	sd_varlink_reply_flags_t flags, void *userdata)
{
	struct attach *a = userdata;

	if (!error) {
		if (!a->up)
			log_info("attach", "attached to meshgwd");
		a->up = true;
		a->pause_us = FIRST_US;
		hear(a, parameters);
	}
	if (error || !(flags & SD_VARLINK_REPLY_CONTINUES)) {
		if (error && strcmp(error, SD_VARLINK_ERROR_DISCONNECTED) != 0)
			log_warn("attach", "meshgwd: %s", error);
		hang_up(a);
		look_again(a);
	}
	return 0;
}

static int connect_link(struct attach *a)
{
	int r = sd_varlink_connect_address(&a->link, a->socket);

	if (r < 0)
		return r;
	sd_varlink_set_userdata(a->link, a);
	/* Changes come when they come. */
	r = sd_varlink_set_relative_timeout(a->link, UINT64_MAX);
	if (r >= 0)
		r = sd_varlink_set_allow_fd_passing_input(a->link, true);
	if (r >= 0)
		r = sd_varlink_bind_reply(a->link, on_reply);
	if (r >= 0)
		r = sd_varlink_attach_event(a->link, a->event, SD_EVENT_PRIORITY_NORMAL);
	return r < 0 ? r : sd_varlink_observe(a->link, API_INTERFACE ".BridgeAttach", nullptr);
}

static int on_again(sd_event_source *, uint64_t, void *userdata)
{
	struct attach *a = userdata;

	a->again = sd_event_source_disable_unref(a->again);
	if (connect_link(a) < 0) {
		hang_up(a);
		look_again(a);
	}
	return 0;
}

static void look_again(struct attach *a)
{
	if (sd_event_add_time_relative(
		    a->event, &a->again, CLOCK_MONOTONIC, a->pause_us, 1000, on_again, a) < 0)
		out_of_memory();
	a->pause_us = a->pause_us * 2 < LAST_US ? a->pause_us * 2 : LAST_US;
}

struct attach *attach_new(sd_event *event, const char *socket, const struct attach_events *events)
{
	struct attach *a = xcalloc(1, sizeof(*a));

	*a = (struct attach){.event = sd_event_ref(event),
		.socket = socket,
		.events = *events,
		.pause_us = FIRST_US};
	if (connect_link(a) < 0) {
		hang_up(a);
		look_again(a);
	}
	return a;
}

void attach_free(struct attach *a)
{
	if (!a)
		return;
	sd_event_source_disable_unref(a->again);
	sd_varlink_close_unref(a->link);
	sd_event_unref(a->event);
	free(a);
}
