/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"
#include "lib/api.h"
#include "lib/call.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "link.h"
#include "pace.h"
#include "quic/config.h"
#include "tunnel.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>

constexpr uint64_t REGULAR_US = 5'000'000;
/* A range falls into as many as 254 prefixes. What meshgwd reads, and one that tells of the others.
 */
constexpr size_t PROPOSED_MAX = 4096 + 1;
constexpr uint64_t CALL_US = 5'000'000;

/* What became of an order of meshgwd's. */
struct answer {
	uint64_t id; /* 0 = there was none */
	int result;  /* 0 or -errno */
	bool due;    /* meshgwd has not heard it yet */
};

struct program {
	const char *socket;
	sd_event *event;
	struct link *link;
	struct tunnel *tunnel;
	uint64_t generation, filters; /* as told last */
	sd_event_source *timer;       /* of the next report */
	bool soon; /* it is due soon; whatever else happens does not put it off */
	struct call *proposing, *reporting;
	uint64_t reported_us;      /* when the last report was begun */
	uint64_t cost_us;          /* of it, to both ends */
	bool unreported;           /* something has changed since `reporting` began */
	bool late;                 /* something may have been told since `proposing` began */
	sd_json_variant *proposed; /* what meshgwd has answered last */
	sd_json_variant *asked;    /* what it is being asked */
	struct answer answer;
	struct err problem; /* why what was told last is not taken; of code 0 = it is */
};

/* Proposals: addresses and routes that the peer told and that lie inside of what is configured. */

static int prefixes_to_json(const struct lane_told *told, sd_json_variant **out)
{
	char text[PREFIX_STRLEN];
	int r = sd_json_variant_new_array(out, nullptr, 0);

	for (size_t i = 0; r >= 0 && i < told->n_addresses; i++)
		r = sd_json_variant_append_arrayb(
			out, SD_JSON_BUILD_STRING(prefix_str(&told->addresses[i], text)));
	return r;
}

static int append_range(sd_json_variant **out, const struct connip_range *range, size_t *left)
{
	struct prefix prefixes[RANGE_PREFIXES_MAX];
	char text[PREFIX_STRLEN];
	size_t n = range_to_prefixes(range, prefixes);
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n && *left > 0; i++, (*left)--)
		r = sd_json_variant_append_arrayb(
			out, SD_JSON_BUILD_STRING(prefix_str(&prefixes[i], text)));
	return r;
}

static int ranges_to_json(const struct lane_told *told, sd_json_variant **out)
{
	size_t left = PROPOSED_MAX;
	int r = sd_json_variant_new_array(out, nullptr, 0);

	for (size_t i = 0; r >= 0 && i < told->n_routes; i++)
		r = append_range(out, &told->routes[i], &left);
	return r;
}

static int make_proposal(
	const struct program *p, const struct lane_told *told, sd_json_variant **out)
{
	autojson sd_json_variant *addresses = nullptr, *routes = nullptr;

	int r = prefixes_to_json(told, &addresses);
	if (r >= 0)
		r = ranges_to_json(told, &routes);
	if (r < 0)
		return r;
	return sd_json_buildo(out, SD_JSON_BUILD_PAIR_UNSIGNED("generation", p->generation),
		SD_JSON_BUILD_PAIR_VARIANT("addresses", addresses),
		SD_JSON_BUILD_PAIR_VARIANT("routes", routes));
}

static void report_soon(struct program *p, uint64_t us)
{
	(void)sd_event_source_set_time_relative(p->timer, us);
	(void)sd_event_source_set_enabled(p->timer, SD_EVENT_ONESHOT);
}

static void log_refused(sd_json_variant *reply)
{
	sd_json_variant *refused = sd_json_variant_by_key(reply, "refused");

	for (size_t i = 0; refused && i < sd_json_variant_elements(refused); i++) {
		sd_json_variant *entry = sd_json_variant_by_index(refused, i);
		sd_json_variant *prefix = sd_json_variant_by_key(entry, "prefix");
		sd_json_variant *reason = sd_json_variant_by_key(entry, "reason");
		if (prefix && reason)
			log_warn("tunnel", "meshgwd refused prefix=%s: %s",
				sd_json_variant_string(prefix), sd_json_variant_string(reason));
	}
}

static void on_proposed(void *arg, sd_json_variant *reply, const char *error)
{
	struct program *p = arg;

	p->proposing = nullptr;
	if (reply) {
		log_refused(reply);
		sd_json_variant_unref(p->proposed);
		p->proposed = TAKE_PTR(p->asked);
	} else {
		log_debug("tunnel", "no answer to a proposal: %s", error);
		p->asked = sd_json_variant_unref(p->asked);
	}
	if (p->late)
		report_soon(p, PACE_LEAST_US);
}

static struct call *call_daemon(struct program *p, const char *method, sd_json_variant *parameters,
	void (*done)(void *arg, sd_json_variant *reply, const char *error))
{
	const struct call_request request = {.socket = p->socket,
		.method = method,
		.parameters = parameters,
		.timeout_us = CALL_US,
		.done = done,
		.arg = p};
	struct call *call = nullptr;

	return call_new(p->event, &request, &call) < 0 ? nullptr : call;
}

/* While nobody is connected what was told last holds: addresses that come and go take routes and
 * connections with them. */
static void propose(struct program *p)
{
	const struct lane_told *told = p->tunnel ? tunnel_told(p->tunnel) : nullptr;
	autojson sd_json_variant *now = nullptr;

	p->late = p->proposing;
	if (p->proposing || !told || !told->heard || make_proposal(p, told, &now) < 0 ||
		(p->proposed && sd_json_variant_equal(now, p->proposed)))
		return;
	p->proposing = call_daemon(p, API_INTERFACE ".TunnelPropose", now, on_proposed);
	if (p->proposing)
		p->asked = TAKE_PTR(now);
}

static uint64_t now_us(const struct program *p)
{
	uint64_t us = 0;

	(void)sd_event_now(p->event, CLOCK_MONOTONIC, &us);
	return us;
}

static void on_reported(void *arg, sd_json_variant *, const char *error)
{
	struct program *p = arg;

	p->reporting = nullptr;
	p->cost_us = now_us(p) - p->reported_us;
	if (error)
		log_debug("tunnel", "no answer to a report: %s", error);
	/* It came while that report was under way. */
	if (p->answer.due)
		report_soon(p, error ? PACE_LEAST_US : 0);
	else if (p->unreported)
		report_soon(p, pace_us(p->cost_us));
}

static const char *result_str(int result)
{
	static const struct {
		int result;
		const char *word;
	} words[] = {
		{0, "done"}, {-EALREADY, "active"}, {-ENOTCONN, "offline"}, {-EOPNOTSUPP, "role"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].result == result)
			return words[i].word;
	return "unknown";
}

/* The file that is to be mended; nullptr: it is no file's fault. */
static const char *problem_file(const struct err *problem)
{
	return problem->code == QUIC_BAD_PAIR ? "certificate"
	       : problem->code == QUIC_BAD_CA ? "ca"
					      : nullptr;
}

static int add_problem(const struct program *p, sd_json_variant **state)
{
	autojson sd_json_variant *v = nullptr;
	const char *file = problem_file(&p->problem);

	int r = sd_json_buildo(&v, SD_JSON_BUILD_PAIR_BOOLEAN("stands", p->tunnel != nullptr),
		SD_JSON_BUILD_PAIR_STRING("text", p->problem.msg),
		SD_JSON_BUILD_PAIR_CONDITION(file != nullptr, "file", SD_JSON_BUILD_STRING(file)));
	return r < 0 ? r : sd_json_variant_set_field(state, "problem", v);
}

/* 0: there is nothing to tell. */
static int make_state(struct program *p, sd_json_variant **out)
{
	int r = 0;

	if (p->tunnel)
		r = tunnel_report(p->tunnel, out);
	else if (p->problem.code)
		r = sd_json_buildo(out, SD_JSON_BUILD_PAIR_EMPTY_ARRAY("peers"));
	if (r >= 0 && p->problem.code)
		r = add_problem(p, out);
	return r < 0 ? r : *out != nullptr;
}

static void report(struct program *p)
{
	autojson sd_json_variant *state = nullptr, *parameters = nullptr;

	p->unreported = p->reporting;
	if (!p->reporting)
		p->reported_us = now_us(p);
	if (p->reporting || make_state(p, &state) <= 0)
		return;
	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_UNSIGNED("generation", p->generation),
		    SD_JSON_BUILD_PAIR_VARIANT("tunnel", state),
		    SD_JSON_BUILD_PAIR_CONDITION(p->answer.due, "promoted",
			    SD_JSON_BUILD_OBJECT(SD_JSON_BUILD_PAIR_UNSIGNED("id", p->answer.id),
				    SD_JSON_BUILD_PAIR_STRING(
					    "result", result_str(p->answer.result))))) < 0)
		out_of_memory();
	p->reporting = call_daemon(p, API_INTERFACE ".TunnelReport", parameters, on_reported);
	/* Lost with meshgwd, it is asked for again. */
	p->answer.due &= !p->reporting;
}

static int on_timer(sd_event_source *, uint64_t, void *userdata)
{
	struct program *p = userdata;

	p->soon = false;
	report_soon(p, REGULAR_US); /* or sooner, if that brings something to light */
	propose(p);
	report(p);
	return 0;
}

/* What is told becomes a tunnel. */

static void on_changed(void *arg)
{
	struct program *p = arg;

	if (!p->soon)
		report_soon(p, pace_us(p->cost_us));
	p->soon = true;
}

static void on_broken(void *arg, const char *why)
{
	struct program *p = arg;

	log_err("tunnel", "the TUN device is gone: %s", why);
	sd_event_exit(p->event, EXIT_FAILURE);
}

static void replace(struct program *p, struct link_told *what, struct tunnel_config *take_config)
{
	const struct tunnel_events events = {on_changed, on_broken, p};
	const struct tunnel_given given = {.config = take_config,
		.tun = fd_take(&what->tun),
		.sockets = what->sockets,
		.n_sockets = what->n_sockets,
		.memory = fd_take(&what->memory),
		.daemon = p->socket};

	tunnel_free(p->tunnel);
	p->tunnel = nullptr;
	int r = tunnel_new(p->event, &given, &events, &p->tunnel, &p->problem);
	what->n_sockets = 0;
	if (r < 0)
		log_err("tunnel", "no tunnel: %s", p->problem.msg);
}

/* Other sockets: only a connector can go over to them. */
static bool keep_sockets(struct program *p, struct link_told *what)
{
	unsigned n = what->n_sockets;
	struct err err = {};

	if (tunnel_has_sockets(p->tunnel, what->sockets, n))
		return true;
	if (tunnel_config(p->tunnel)->role != TUNNEL_CONNECTOR)
		return false;
	what->n_sockets = 0;
	if (tunnel_move(p->tunnel, what->sockets, n, &err) < 0)
		log_err("tunnel", "%s", err.msg);
	return true;
}

/* The same tunnel, from another address, or one that can go on with what is new. */
static bool keep(struct program *p, struct link_told *what, struct tunnel_config *take_config)
{
	const struct tunnel_config *now = p->tunnel ? tunnel_config(p->tunnel) : nullptr;

	if (!now || !tunnel_has_device(p->tunnel, what->tun) ||
		!tunnel_config_reloads(now, take_config) || !keep_sockets(p, what))
		return false;
	if (sd_json_variant_equal(now->json, take_config->json)) {
		tunnel_config_free(take_config);
		return true;
	}
	if (tunnel_reload(p->tunnel, take_config, &p->problem) < 0) {
		log_err("tunnel", "all stays as it was: %s", p->problem.msg);
		tunnel_config_free(take_config);
	}
	return true;
}

/* What would have to begin anew, and cannot with such keys, does not end what works. A connector
 * goes over to other sockets if it can: for other edges they may be of another family. */
static bool stay(struct program *p, struct link_told *what, struct tunnel_config *take_config)
{
	bool connector = take_config->role == TUNNEL_CONNECTOR;

	if (!p->tunnel || !tunnel_has_device(p->tunnel, what->tun) ||
		tunnel_config(p->tunnel)->role != take_config->role ||
		(!connector && !tunnel_has_sockets(p->tunnel, what->sockets, what->n_sockets)) ||
		tunnel_check(take_config, &p->problem) >= 0)
		return false;
	log_err("tunnel", "all stays as it was: %s", p->problem.msg);
	if (connector && tunnel_may_move(p->tunnel, what->sockets, what->n_sockets))
		(void)keep_sockets(p, what);
	tunnel_config_free(take_config);
	return true;
}

/* Once, however often it is told. */
static void obey(struct program *p, const struct link_order *promote)
{
	if (!promote->id || !p->tunnel)
		return;
	if (promote->id != p->answer.id)
		p->answer = (struct answer){.id = promote->id,
			.result = tunnel_promote(p->tunnel, promote->node, promote->replica)};
	p->answer.due = true;
}

/* Whoever filters may have begun just now to know flows, and takes what the edge sends for a
 * stranger's until it has seen us send. Strangers may always speak to an edge. */
static void follow_filters(struct program *p, const struct link_told *what)
{
	if (p->tunnel && tunnel_config(p->tunnel)->role == TUNNEL_CONNECTOR &&
		(what->first || what->filters != p->filters))
		tunnel_ping(p->tunnel);
	p->filters = what->filters;
}

/* Nothing that would have to be looked at: that is dear, and filters may change all the time. */
static bool is_known(const struct program *p, const struct link_told *what)
{
	return !what->first && what->generation == p->generation;
}

static void on_told(void *arg, struct link_told *what)
{
	struct program *p = arg;
	struct tunnel_config *config = nullptr;

	if (is_known(p, what)) {
		follow_filters(p, what);
		return;
	}
	p->problem = (struct err){};
	if (what->tunnel && tunnel_config_from_json(what->tunnel, &config, &p->problem) < 0) {
		log_err("tunnel", "nothing changes: %s", p->problem.msg);
		report_soon(p, PACE_LEAST_US);
		return;
	}
	log_info("tunnel", "told generation=%lu: %s", (unsigned long)what->generation,
		config ? "a tunnel" : "nothing to be");
	p->generation = what->generation;
	p->proposed = sd_json_variant_unref(p->proposed);
	if (!config) {
		tunnel_free(p->tunnel);
		p->tunnel = nullptr;
	} else if (!keep(p, what, config) && !stay(p, what, config)) {
		replace(p, what, config);
	}
	follow_filters(p, what);
	obey(p, &what->promote);
	report_soon(p, p->answer.due ? 0 : PACE_LEAST_US);
	p->soon = true;
}

static unsigned on_open(void *arg, int fds[LINK_OPEN_MAX])
{
	const struct program *p = arg;

	return p->tunnel ? tunnel_open(p->tunnel, fds, LINK_OPEN_MAX) : 0;
}

/* Life. */

static int on_stop(sd_event_source *, const struct signalfd_siginfo *, void *userdata)
{
	struct program *p = userdata;

	sd_notify(false, "STOPPING=1");
	return sd_event_exit(p->event, 0);
}

static int add_sources(struct program *p)
{
	constexpr int block = SD_EVENT_SIGNAL_PROCMASK;

	int r = sd_event_add_signal(p->event, nullptr, SIGTERM | block, on_stop, p);
	if (r >= 0)
		r = sd_event_add_signal(p->event, nullptr, SIGINT | block, on_stop, p);
	if (r >= 0)
		r = sd_event_add_time_relative(
			p->event, &p->timer, CLOCK_MONOTONIC, REGULAR_US, 1000, on_timer, p);
	if (r >= 0)
		r = sd_event_set_watchdog(p->event, true);
	return r;
}

static int run(struct program *p, struct err *err)
{
	const struct link_events events = {on_told, on_open, p};
	/* Not sd_event_default(): whose loop that is would be asked for before each wait. */
	int r = sd_event_new(&p->event);

	if (r < 0 || (r = add_sources(p)) < 0)
		return err_set(err, -r, "event loop: %s", strerror(-r));
	p->link = link_new(p->event, p->socket, &events);
	/* Ready, too, while meshgwd is not. */
	sd_notify(false, "READY=1");
	r = sd_event_loop(p->event);
	if (r < 0)
		return err_set(err, -r, "event loop: %s", strerror(-r));
	return r > 0 ? err_set(err, EIO, "the tunnel cannot go on") : 0;
}

int program_run(const char *socket, struct err *err)
{
	struct program p = {.socket = socket};
	int r = run(&p, err);

	link_free(p.link);
	call_cancel(p.proposing);
	call_cancel(p.reporting);
	tunnel_free(p.tunnel);
	sd_event_source_disable_unref(p.timer);
	sd_json_variant_unref(p.proposed);
	sd_json_variant_unref(p.asked);
	sd_event_unref(p.event);
	return r;
}
