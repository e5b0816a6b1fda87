/* SPDX-License-Identifier: Apache-2.0 */
#include "attach/attach.h"
#include "lib/api.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-varlink.h>

constexpr uint64_t RETRY_FIRST_US = 100'000;
constexpr uint64_t RETRY_LAST_US = 5'000'000;
/* What the line itself may take beyond the time that meshgwd has for an answer. */
constexpr uint64_t GRACE_US = 500'000;

struct question {
	struct question *prev, *next;
	struct attach *attach;
	sd_varlink *link;
	const char *member; /* of the reply that is told; nullptr = all of it */
	attach_done *done;
	void *arg;
};

struct attach {
	sd_event *event;
	const char *socket;
	const struct attach_events *events;
	void *arg;
	sd_varlink *link; /* nullptr = there is none */
	sd_event_source *retry;
	uint64_t wait_us; /* until the next try */
	bool stands, ends;
	struct question questions; /* head of a ring */
	size_t n_questions;
};

static void connect_again(struct attach *a);

/* ---- what is to be served ---- */

static void link_drop(struct attach *a)
{
	a->link = sd_varlink_close_unref(a->link);
	if (a->stands)
		log_warn("attach", "meshgwd is gone; everything stays as it is");
	a->stands = false;
}

static int on_retry(sd_event_source *, uint64_t, void *userdata)
{
	connect_again(userdata);
	return 0;
}

static void retry_later(struct attach *a)
{
	link_drop(a);
	a->retry = sd_event_source_disable_unref(a->retry);
	int r = sd_event_add_time_relative(
		a->event, &a->retry, CLOCK_MONOTONIC, a->wait_us, a->wait_us / 10, on_retry, a);
	if (r < 0)
		log_err("attach", "no further try: %s", strerror(-r));
	a->wait_us = a->wait_us * 2 < RETRY_LAST_US ? a->wait_us * 2 : RETRY_LAST_US;
}

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

/* The descriptor of one listener; -ENOENT when nothing listens there. */
static int fd_of(sd_varlink *link, sd_json_variant *listener, struct err *err)
{
	sd_json_variant *index = sd_json_variant_by_key(listener, "fd");

	if (!index || sd_json_variant_is_null(index))
		return -ENOENT;
	if (!sd_json_variant_is_unsigned(index) ||
		sd_json_variant_unsigned(index) >= ATTACH_LISTENERS_MAX)
		return err_set(err, EBADMSG, "a listener's fd is no number of a descriptor");
	autoclose int fd = sd_varlink_take_fd(link, (size_t)sd_json_variant_unsigned(index));
	if (fd < 0)
		return err_set(err, EBADMSG, "a listener's descriptor is not there");
	if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
		return err_set(err, EBADMSG, "a listener's descriptor does not listen");
	return fd_take(&fd);
}

/* How many were taken, or -errno with none left open. */
static int take_listeners(sd_varlink *link, sd_json_variant *list,
	int fds[static ATTACH_LISTENERS_MAX], struct err *err)
{
	size_t n = 0;

	if (!list || !sd_json_variant_is_array(list))
		return err_set(err, EBADMSG, "no list of listeners");
	for (size_t i = 0; i < sd_json_variant_elements(list); i++) {
		int fd = n < ATTACH_LISTENERS_MAX
				 ? fd_of(link, sd_json_variant_by_index(list, i), err)
				 : err_set(err, EBADMSG, "too many listeners");
		if (fd == -ENOENT)
			continue;
		if (fd < 0) {
			close_all(fds, n);
			return fd;
		}
		fds[n++] = fd;
	}
	return (int)n;
}

static int serve(struct attach *a, sd_json_variant *reply, struct err *err)
{
	sd_json_variant *bridge = sd_json_variant_by_key(reply, "bridge");
	const struct bridge_config *config = nullptr;
	int fds[ATTACH_LISTENERS_MAX];
	int r = 0;

	if (bridge && !sd_json_variant_is_null(bridge))
		r = bridge_config_from_json(bridge, &config, err);
	if (r < 0)
		return r;
	r = take_listeners(a->link, sd_json_variant_by_key(reply, "listeners"), fds, err);
	if (r < 0) {
		bridge_config_unref(config);
		return r;
	}
	a->events->serve(a->arg, config, fds, (size_t)r);
	return 0;
}

static int on_told(sd_varlink *, sd_json_variant *reply, const char *error,
	sd_varlink_reply_flags_t flags, void *userdata)
{
	struct attach *a = userdata;
	struct err err = {};

	if (error) {
		log_debug("attach", "%s", error);
		retry_later(a);
		return 0;
	}
	if (!a->stands)
		log_info("attach", "attached to meshgwd");
	a->stands = true;
	a->wait_us = RETRY_FIRST_US;
	if (serve(a, reply, &err) < 0)
		a->events->refused(a->arg, &err);
	if (!(flags & SD_VARLINK_REPLY_CONTINUES))
		retry_later(a);
	return 0;
}

static int link_new(struct attach *a, sd_varlink_reply_t on_reply, void *arg, sd_varlink **out)
{
	sd_varlink *link = nullptr;
	int r = sd_varlink_connect_address(&link, a->socket);

	if (r < 0)
		return r;
	sd_varlink_set_userdata(link, arg);
	r = sd_varlink_bind_reply(link, on_reply);
	if (r >= 0)
		r = sd_varlink_attach_event(link, a->event, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0) {
		sd_varlink_close_unref(link);
		return r;
	}
	*out = link;
	return 0;
}

static void connect_again(struct attach *a)
{
	int r = link_new(a, on_told, a, &a->link);

	if (r >= 0)
		r = sd_varlink_set_allow_fd_passing_input(a->link, true);
	if (r >= 0) /* it says something when there is something to say */
		r = sd_varlink_set_relative_timeout(a->link, UINT64_MAX);
	if (r >= 0)
		r = sd_varlink_observe(a->link, API_INTERFACE ".BridgeAttach", nullptr);
	if (r < 0) {
		log_debug("attach", "%s: %s", a->socket, strerror(-r));
		retry_later(a);
	}
}

/* ---- questions ---- */

/* Takes it out before it is told: whoever hears may ask again, or free the line. */
static void question_end(struct question *q, sd_json_variant *reply)
{
	attach_done *done = q->done;
	void *arg = q->arg;

	q->prev->next = q->next;
	q->next->prev = q->prev;
	q->attach->n_questions--;
	sd_varlink_close_unref(q->link);
	free(q);
	done(arg, reply);
}

static int on_answer(sd_varlink *, sd_json_variant *reply, const char *error,
	sd_varlink_reply_flags_t, void *userdata)
{
	struct question *q = userdata;
	sd_json_variant *told = reply;

	if (!error && q->member)
		told = sd_json_variant_by_key(reply, q->member);
	question_end(q, error ? nullptr : told);
	return 0;
}

static int ask(struct attach *a, const char *method, sd_json_variant *parameters,
	uint32_t deadline_ms, const struct question *how)
{
	if (a->ends || a->n_questions >= ATTACH_QUESTIONS_MAX)
		return -EBUSY;
	struct question *q = xcalloc(1, sizeof(*q));
	int r = link_new(a, on_answer, q, &q->link);
	if (r >= 0)
		r = sd_varlink_set_relative_timeout(
			q->link, (uint64_t)deadline_ms * 1000 + GRACE_US);
	if (r >= 0)
		r = sd_varlink_invoke(q->link, method, parameters);
	if (r < 0) {
		sd_varlink_close_unref(q->link);
		free(q);
		return r;
	}
	q->attach = a;
	q->member = how->member;
	q->done = how->done;
	q->arg = how->arg;
	q->next = &a->questions;
	q->prev = a->questions.prev;
	q->prev->next = q->next->prev = q;
	a->n_questions++;
	return 0;
}

int attach_diagnose(struct attach *a, const char *target, bool active, uint32_t deadline_ms,
	attach_done *done, void *arg)
{
	autojson sd_json_variant *parameters = nullptr;
	const struct question how = {.member = "verdict", .done = done, .arg = arg};
	int r = sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("target", target),
		SD_JSON_BUILD_PAIR_UNSIGNED("deadlineMs", deadline_ms),
		SD_JSON_BUILD_PAIR_BOOLEAN("active", active));

	return r < 0 ? r : ask(a, API_INTERFACE ".DiagnoseTarget", parameters, deadline_ms, &how);
}

int attach_status(struct attach *a, uint32_t deadline_ms, attach_done *done, void *arg)
{
	const struct question how = {.done = done, .arg = arg};

	return ask(a, API_INTERFACE ".GetStatus", nullptr, deadline_ms, &how);
}

/* ---- life ---- */

struct attach *attach_new(
	sd_event *event, const char *socket, const struct attach_events *events, void *arg)
{
	struct attach *a = xcalloc(1, sizeof(*a));

	*a = (struct attach){.event = event,
		.socket = socket,
		.events = events,
		.arg = arg,
		.wait_us = RETRY_FIRST_US};
	a->questions.prev = a->questions.next = &a->questions;
	connect_again(a);
	return a;
}

void attach_free(struct attach *a)
{
	if (!a)
		return;
	a->ends = true; /* who is told now asks in vain */
	while (a->questions.next != &a->questions)
		question_end(a->questions.next, nullptr);
	sd_event_source_disable_unref(a->retry);
	sd_varlink_close_unref(a->link);
	free(a);
}

bool attach_stands(const struct attach *a)
{
	return a->stands;
}
