/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/attachment.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

constexpr uint64_t FIRST_US = 100'000;
constexpr uint64_t LAST_US = 5'000'000;

struct attachment {
	sd_event *event;
	struct attachment_request request;
	sd_varlink *link;
	sd_event_source *again;
	uint64_t pause_us;
	bool up;
};

static void look_again(struct attachment *a);

static void hang_up(struct attachment *a)
{
	if (a->up)
		a->request.gone(a->request.arg);
	a->up = false;
	a->link = sd_varlink_close_unref(a->link);
}

static void note_up(struct attachment *a)
{
	if (!a->up)
		log_info(a->request.area, "attached to meshgwd");
	a->up = true;
}

static int on_reply(sd_varlink *, sd_json_variant *parameters, const char *error,
	sd_varlink_reply_flags_t flags, void *userdata)
{
	struct attachment *a = userdata;
	bool taken = false;

	if (!error) {
		note_up(a);
		taken = a->request.heard(a->request.arg, a->link, parameters);
	}
	if (taken)
		a->pause_us = FIRST_US;
	if (error && strcmp(error, SD_VARLINK_ERROR_DISCONNECTED) != 0)
		log_warn(a->request.area, "meshgwd: %s", error);
	if (!taken || !(flags & SD_VARLINK_REPLY_CONTINUES)) {
		hang_up(a);
		look_again(a);
	}
	return 0;
}

static int ask(struct attachment *a)
{
	int r = 0;

	if (a->request.asking) {
		r = sd_varlink_set_allow_fd_passing_output(a->link, true);
		if (r >= 0)
			r = a->request.asking(a->request.arg, a->link);
	}
	return r < 0 ? r : sd_varlink_observe(a->link, a->request.method, nullptr);
}

static int connect_link(struct attachment *a)
{
	int r = sd_varlink_connect_address(&a->link, a->request.socket);

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
	return r < 0 ? r : ask(a);
}

static void look(struct attachment *a)
{
	if (connect_link(a) >= 0)
		return;
	hang_up(a);
	look_again(a);
}

static int on_again(sd_event_source *, uint64_t, void *userdata)
{
	struct attachment *a = userdata;

	a->again = sd_event_source_disable_unref(a->again);
	look(a);
	return 0;
}

static void look_again(struct attachment *a)
{
	if (sd_event_add_time_relative(
		    a->event, &a->again, CLOCK_MONOTONIC, a->pause_us, 1000, on_again, a) < 0)
		out_of_memory();
	a->pause_us = a->pause_us * 2 < LAST_US ? a->pause_us * 2 : LAST_US;
}

struct attachment *attachment_new(sd_event *event, const struct attachment_request *request)
{
	struct attachment *a = xcalloc(1, sizeof(*a));

	*a = (struct attachment){
		.event = sd_event_ref(event), .request = *request, .pause_us = FIRST_US};
	look(a);
	return a;
}

void attachment_free(struct attachment *a)
{
	if (!a)
		return;
	sd_event_source_disable_unref(a->again);
	sd_varlink_close_unref(a->link);
	sd_event_unref(a->event);
	free(a);
}

int attachment_fd(sd_varlink *link, sd_json_variant *index)
{
	if (!index || !sd_json_variant_is_unsigned(index))
		return -EBADMSG;
	int fd = sd_varlink_peek_dup_fd(link, (size_t)sd_json_variant_unsigned(index));
	return fd < 0 ? -EBADMSG : fd;
}
