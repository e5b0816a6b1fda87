/* SPDX-License-Identifier: Apache-2.0 */
#include "attach.h"
#include "lib/api.h"
#include "lib/attachment.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct attach {
	struct attach_events events;
	struct attachment *attachment;
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
	if (out->n == ATTACH_SOCKETS_MAX)
		return -EBADMSG;
	int fd = attachment_fd(link, index);
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

/* 0 of a message without: then it is not the bridge's business which one it is. */
static uint64_t generation_of(sd_json_variant *parameters)
{
	sd_json_variant *v = sd_json_variant_by_key(parameters, "generation");
	return sd_json_variant_is_unsigned(v) ? sd_json_variant_unsigned(v) : 0;
}

/* False: the sockets did not come along. */
static bool on_heard(void *arg, sd_varlink *link, sd_json_variant *parameters)
{
	struct attach *a = arg;
	const struct bridge_config *config = nullptr;
	struct sockets sockets = {};
	struct err err = {};
	uint64_t generation = generation_of(parameters);
	int r = take_sockets(link, sd_json_variant_by_key(parameters, "listeners"), &sockets);

	if (r < 0) {
		log_warn("attach", "the sockets did not come along; they are asked for again");
	} else if (read_config(parameters, &config, &err) < 0) {
		log_err("attach", "what meshgwd says is not understood, nothing changes: %s",
			err.msg);
		a->events.refused(a->events.arg, generation, err.msg);
	} else {
		a->events.told(a->events.arg, generation, config, sockets.fds, sockets.n);
	}
	sockets_close(&sockets);
	return r == 0;
}

static void on_gone(void *arg)
{
	struct attach *a = arg;

	log_warn("attach", "meshgwd is gone; what it said last is served on");
	a->events.gone(a->events.arg);
}

struct attach *attach_new(sd_event *event, const char *socket, const struct attach_events *events)
{
	struct attach *a = xcalloc(1, sizeof(*a));
	const struct attachment_request request = {.socket = socket,
		.method = API_INTERFACE ".BridgeAttach",
		.area = "attach",
		.heard = on_heard,
		.gone = on_gone,
		.arg = a};

	a->events = *events;
	a->attachment = attachment_new(event, &request);
	return a;
}

void attach_free(struct attach *a)
{
	if (!a)
		return;
	attachment_free(a->attachment);
	free(a);
}
