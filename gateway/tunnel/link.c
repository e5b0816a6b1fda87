/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"
#include "lib/api.h"
#include "lib/attachment.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct link {
	struct link_events events;
	struct attachment *attachment;
	bool heard; /* an answer to the question that was asked last */
};

static void told_close(struct link_told *t)
{
	if (t->tun >= 0)
		close(t->tun);
	if (t->memory >= 0)
		close(t->memory);
	for (unsigned i = 0; i < t->n_sockets; i++)
		if (t->sockets[i] >= 0)
			close(t->sockets[i]);
}

static int take_sockets(sd_varlink *link, sd_json_variant *list, struct link_told *out)
{
	if (!list || !sd_json_variant_is_array(list) ||
		sd_json_variant_elements(list) > LINK_SOCKETS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < sd_json_variant_elements(list); i++) {
		sd_json_variant *entry = sd_json_variant_by_index(list, i);
		int fd = attachment_fd(link, sd_json_variant_by_key(entry, "fd"));
		if (fd < 0)
			return fd;
		out->sockets[out->n_sockets++] = fd;
	}
	return 0;
}

static int take_memory(sd_varlink *link, sd_json_variant *index, struct link_told *out)
{
	if (!index || sd_json_variant_is_null(index))
		return 0;
	out->memory = attachment_fd(link, index);
	return out->memory < 0 ? out->memory : 0;
}

static int read_order(sd_json_variant *v, struct link_order *out)
{
	static const sd_json_dispatch_field fields[] = {
		{"id", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
			offsetof(struct link_order, id), SD_JSON_MANDATORY},
		{"node", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct link_order, node), SD_JSON_MANDATORY},
		{"replica", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct link_order, replica), SD_JSON_MANDATORY},
		{},
	};

	if (!v || sd_json_variant_is_null(v))
		return 0;
	return sd_json_dispatch(v, fields, SD_JSON_ALLOW_EXTENSIONS, out) < 0 ? -EBADMSG : 0;
}

static int read_filters(sd_json_variant *v, uint64_t *out)
{
	if (!v)
		return 0;
	if (!sd_json_variant_is_unsigned(v))
		return -EBADMSG;
	*out = sd_json_variant_unsigned(v);
	return 0;
}

static int read_told(sd_varlink *link, sd_json_variant *parameters, struct link_told *out)
{
	sd_json_variant *generation = sd_json_variant_by_key(parameters, "generation");
	sd_json_variant *tunnel = sd_json_variant_by_key(parameters, "tunnel");

	if (!generation || !sd_json_variant_is_unsigned(generation))
		return -EBADMSG;
	out->generation = sd_json_variant_unsigned(generation);
	if (read_order(sd_json_variant_by_key(parameters, "promote"), &out->promote) < 0 ||
		read_filters(sd_json_variant_by_key(parameters, "filters"), &out->filters) < 0)
		return -EBADMSG;
	if (!tunnel || sd_json_variant_is_null(tunnel))
		return 0;
	if (!sd_json_variant_is_object(tunnel))
		return -EBADMSG;
	out->tunnel = tunnel;
	out->tun = attachment_fd(link, sd_json_variant_by_key(parameters, "tun"));
	int r = out->tun < 0
			? out->tun
			: take_sockets(link, sd_json_variant_by_key(parameters, "sockets"), out);
	return r < 0 ? r : take_memory(link, sd_json_variant_by_key(parameters, "memory"), out);
}

static bool on_heard(void *arg, sd_varlink *varlink, sd_json_variant *parameters)
{
	struct link *l = arg;
	struct link_told told = {.first = !l->heard, .tun = -1, .memory = -1};
	int r = read_told(varlink, parameters, &told);

	if (r < 0)
		log_err("link", "what meshgwd says is not understood, nothing changes");
	else
		l->events.told(l->events.arg, &told);
	l->heard |= r >= 0;
	told_close(&told);
	return r == 0;
}

static void on_gone(void *)
{
	log_warn("link", "meshgwd is gone; the tunnel goes on as it was told last");
}

static int on_asking(void *arg, sd_varlink *varlink)
{
	struct link *l = arg;
	int fds[LINK_OPEN_MAX];
	unsigned n = l->events.open ? l->events.open(l->events.arg, fds) : 0;
	int r = 0;

	l->heard = false;
	for (unsigned i = 0; r >= 0 && i < n; i++)
		r = sd_varlink_push_dup_fd(varlink, fds[i]);
	return r < 0 ? r : 0;
}

struct link *link_new(sd_event *event, const char *socket, const struct link_events *events)
{
	struct link *l = xcalloc(1, sizeof(*l));
	const struct attachment_request request = {.socket = socket,
		.method = API_INTERFACE ".TunnelAttach",
		.area = "link",
		.heard = on_heard,
		.gone = on_gone,
		.asking = on_asking,
		.arg = l};

	l->events = *events;
	l->attachment = attachment_new(event, &request);
	return l;
}

void link_free(struct link *l)
{
	if (!l)
		return;
	attachment_free(l->attachment);
	free(l);
}
