/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge.h"
#include "admin.h"
#include "attach.h"
#include "lib/api.h"
#include "lib/call.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "logfile.h"
#include "proxy/proxy.h"
#include "report.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

constexpr unsigned LISTENERS_MAX = 64;
/* A question to meshgwd: its hard limit, and how much longer we wait. */
static const unsigned limits_ms[PROXY_QUESTIONS] = {
	[PROXY_QUESTION_STATUS] = 2'000,
	[PROXY_QUESTION_PASSIVE] = 2'000,
	[PROXY_QUESTION_ACTIVE] = 6'000,
	[PROXY_QUESTION_OWN] = 4'700,
};
constexpr uint64_t PATIENCE_US = 1'000'000;

struct asked;

struct bridge {
	const struct bridge_options *options;
	sd_event *event;
	struct proxy *proxy;
	struct attach *attach;
	struct report *report;
	struct asked *asked; /* questions under way */
	char *admin;         /* where it is; nullptr = nowhere */
	int drained_fd;
	bool stopping;
};

/* Questions of the threads. */

struct asked {
	struct asked *prev, *next;
	struct bridge *bridge;
	struct proxy_question *question;
	struct call *call;
};

static void answer(struct asked *take_a, sd_json_variant *verdict)
{
	struct asked *a = take_a;

	if (a->prev)
		a->prev->next = a->next;
	else
		a->bridge->asked = a->next;
	if (a->next)
		a->next->prev = a->prev;
	proxy_answer(a->question, verdict);
	free(a);
}

static void on_status(void *arg, sd_json_variant *reply, const char *)
{
	answer(arg, reply);
}

static void on_verdict(void *arg, sd_json_variant *reply, const char *error)
{
	if (error)
		log_debug("bridge", "no verdict: %s", error);
	answer(arg, reply ? sd_json_variant_by_key(reply, "verdict") : nullptr);
}

static void put_question(struct bridge *b, struct proxy_question *q)
{
	struct asked *a = xcalloc(1, sizeof(*a));
	autojson sd_json_variant *parameters = nullptr;
	const char *target;
	enum proxy_question_kind kind = proxy_question_read(q, &target);
	unsigned limit_ms = limits_ms[kind];

	*a = (struct asked){.next = b->asked, .bridge = b, .question = q};
	if (b->asked)
		b->asked->prev = a;
	b->asked = a;
	if (*target &&
		sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("target", target),
			SD_JSON_BUILD_PAIR_UNSIGNED("deadlineMs", limit_ms),
			SD_JSON_BUILD_PAIR_CONDITION(kind == PROXY_QUESTION_OWN, "from",
				SD_JSON_BUILD_STRING("gateway")),
			SD_JSON_BUILD_PAIR_BOOLEAN("active", kind == PROXY_QUESTION_ACTIVE)) < 0)
		out_of_memory();
	const struct call_request request = {.socket = b->options->socket,
		.method = *target ? API_INTERFACE ".DiagnoseTarget" : API_INTERFACE ".GetStatus",
		.parameters = parameters,
		.timeout_us = limit_ms * UINT64_C(1000) + PATIENCE_US,
		.done = *target ? on_verdict : on_status,
		.arg = a};
	if (call_new(b->event, &request, &a->call) < 0)
		answer(a, nullptr);
}

static void drop_questions(struct bridge *b)
{
	for (struct asked *a = b->asked, *next; a; a = next) {
		next = a->next;
		call_cancel(a->call);
		answer(a, nullptr);
	}
}

static int on_questions(sd_event_source *, int, uint32_t, void *userdata)
{
	struct bridge *b = userdata;
	struct proxy_question *q;

	while ((q = proxy_take_question(b->proxy)))
		put_question(b, q);
	return 0;
}

/* What is to be served. */

static void set_admin(struct bridge *b, const char *where)
{
	struct err err = {};

	if (b->admin && strcmp(b->admin, where) == 0)
		return;
	free(b->admin);
	b->admin = nullptr;
	if (!*where) {
		proxy_listen_admin(b->proxy, -1);
		return;
	}
	autoclose int fd = admin_open(where, &err);
	if (fd < 0) {
		log_warn("bridge", "no statistics: %s", err.msg);
		return;
	}
	b->admin = xstrdup(where);
	proxy_listen_admin(b->proxy, fd);
}

static int set_config(struct bridge *b, const struct bridge_config *take_config)
{
	autofree char *admin = xstrdup(take_config->admin); /* it may be gone before */

	if (b->proxy) {
		proxy_configure(b->proxy, take_config);
		set_admin(b, admin);
		return 0;
	}
	b->proxy = proxy_new(take_config, !b->options->file);
	set_admin(b, admin);
	return sd_event_add_io(
		b->event, nullptr, proxy_questions_fd(b->proxy), EPOLLIN, on_questions, b);
}

static bool is_sound(const struct bridge_config *config, struct err *err)
{
	if (proxy_check(config, err) == 0)
		return true;
	log_err("bridge", "the configuration is refused: %s", err->msg);
	return false;
}

/* What was served before goes on where the new one would break it. Who serves nothing yet begins
 * with what can be served. */
static void on_told(void *arg, uint64_t generation, const struct bridge_config *take_config,
	const int *fds, unsigned n)
{
	struct bridge *b = arg;
	struct err err = {};
	bool sound = !take_config || is_sound(take_config, &err);

	if (take_config && b->proxy && !sound)
		bridge_config_unref(take_config);
	else if (take_config && set_config(b, take_config) < 0)
		out_of_memory();
	log_info("bridge", "told: %s, %u sockets",
		take_config ? "a configuration" : "nothing to serve", n);
	report_tell(b->report, generation, sound ? nullptr : err.msg);
	if (!b->proxy)
		return;
	if (!sound)
		proxy_note_refused(b->proxy);
	proxy_note_attached(b->proxy, true);
	proxy_listen(b->proxy, fds, take_config ? n : 0);
}

static void on_gone(void *arg)
{
	struct bridge *b = arg;

	report_stop(b->report);
	if (b->proxy)
		proxy_note_attached(b->proxy, false);
}

static void on_refused(void *arg, uint64_t generation, const char *why)
{
	struct bridge *b = arg;

	report_tell(b->report, generation, why);
	if (b->proxy)
		proxy_note_refused(b->proxy);
}

/* Without meshgwd. */

static int load(const char *file, const struct bridge_config **out, struct err *err)
{
	autojson sd_json_variant *json = nullptr;
	unsigned line = 0, column = 0;

	int r = sd_json_parse_file(nullptr, file, SD_JSON_PARSE_SENSITIVE, &json, &line, &column);
	if (r < 0)
		return err_set(err, -r, "%s:%u:%u: %s", file, line, column, strerror(-r));
	return bridge_config_from_json(json, out, err);
}

static int listen_on_given(struct bridge *b, struct err *err)
{
	int fds[LISTENERS_MAX];
	int n = sd_listen_fds(false);

	if (n < 0)
		return err_set(err, -n, "sockets: %s", strerror(-n));
	if (n == 0 || n > (int)LISTENERS_MAX)
		return err_set(err, EINVAL, "%d listening sockets were given", n);
	for (int i = 0; i < n; i++) {
		fds[i] = SD_LISTEN_FDS_START + i;
		if (sd_is_socket(fds[i], AF_UNSPEC, SOCK_STREAM, 1) <= 0)
			return err_set(err, EINVAL, "descriptor %d does not listen", fds[i]);
	}
	proxy_listen(b->proxy, fds, (unsigned)n);
	return 0;
}

static int begin_alone(struct bridge *b, struct err *err)
{
	const struct bridge_config *config;

	int r = load(b->options->file, &config, err);
	if (r < 0)
		return r;
	(void)is_sound(config, &(struct err){});
	r = set_config(b, config);
	if (r < 0)
		return err_set(err, -r, "event loop: %s", strerror(-r));
	return listen_on_given(b, err);
}

/* Signals. */

static int on_reload(sd_event_source *, const struct signalfd_siginfo *, void *userdata)
{
	struct bridge *b = userdata;
	const struct bridge_config *config;
	struct err err = {};

	logfile_reopen();
	if (!b->options->file)
		return 0;
	if (load(b->options->file, &config, &err) < 0)
		log_err("bridge", "the configuration stays as it was: %s", err.msg);
	else if (!is_sound(config, &err))
		bridge_config_unref(config);
	else
		(void)set_config(b, config);
	return 0;
}

static int on_drained(sd_event_source *, int, uint32_t, void *userdata)
{
	struct bridge *b = userdata;
	return sd_event_exit(b->event, 0);
}

static int on_stop(sd_event_source *, const struct signalfd_siginfo *, void *userdata)
{
	struct bridge *b = userdata;

	if (!b->proxy || b->stopping)
		return sd_event_exit(b->event, 0);
	b->stopping = true;
	sd_notify(false, "STOPPING=1");
	attach_free(b->attach);
	b->attach = nullptr;
	proxy_drain(b->proxy, b->drained_fd);
	return 0;
}

static int add_sources(struct bridge *b)
{
	constexpr int block = SD_EVENT_SIGNAL_PROCMASK;

	int r = sd_event_add_signal(b->event, nullptr, SIGTERM | block, on_stop, b);
	if (r >= 0)
		r = sd_event_add_signal(b->event, nullptr, SIGINT | block, on_stop, b);
	if (r >= 0)
		r = sd_event_add_signal(b->event, nullptr, SIGHUP | block, on_reload, b);
	if (r >= 0)
		r = sd_event_add_io(b->event, nullptr, b->drained_fd, EPOLLIN, on_drained, b);
	if (r >= 0)
		r = sd_event_set_watchdog(b->event, true);
	return r;
}

static int run(struct bridge *b, struct err *err)
{
	int r = sd_event_default(&b->event);

	if (r < 0 || (r = add_sources(b)) < 0)
		return err_set(err, -r, "event loop: %s", strerror(-r));
	if (b->options->file) {
		r = begin_alone(b, err);
		if (r < 0)
			return r;
	} else {
		const struct attach_events events = {on_told, on_gone, on_refused, b};
		b->report = report_new(b->event, b->options->socket);
		b->attach = attach_new(b->event, b->options->socket, &events);
	}
	/* Ready, too, while meshgwd is not: connections wait in the sockets that it holds. */
	sd_notify(false, "READY=1");
	r = sd_event_loop(b->event);
	return r < 0 ? err_set(err, -r, "event loop: %s", strerror(-r)) : 0;
}

int bridge_run(const struct bridge_options *options, struct err *err)
{
	struct bridge b = {
		.options = options, .drained_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

	if (b.drained_fd < 0)
		return err_set(err, errno, "eventfd: %s", strerror(errno));
	logfile_remember();
	int r = run(&b, err);
	attach_free(b.attach);
	report_free(b.report);
	drop_questions(&b);
	proxy_free(b.proxy);
	sd_event_unref(b.event);
	free(b.admin);
	close(b.drained_fd);
	return r;
}
