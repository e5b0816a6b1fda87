/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/loop.h"
#include "daemon/answer.h"
#include "daemon/bridge.h"
#include "daemon/clock.h"
#include "daemon/flow_watch.h"
#include "daemon/frr_conditions.h"
#include "daemon/frr_driver.h"
#include "daemon/frr_proof.h"
#include "daemon/health.h"
#include "daemon/privilege.h"
#include "daemon/prober.h"
#include "daemon/reload.h"
#include "daemon/server.h"
#include "daemon/tunnel.h"
#include "lib/api_probe.h"
#include "lib/log.h"
#include "lib/marks.h"
#include "net/nflog.h"
#include <errno.h>
#include <inttypes.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

/* Datagrams read before other sources get their turn. */
constexpr unsigned READ_BUDGET = 64;

struct loop {
	const struct loop_options *options;
	sd_event *event;
	struct gateway gateway;
	struct reload reload;
	struct conditions conditions;
	struct frr_sync frr;
	struct watch *watches[2];
	sd_event_source *sources[2];
	sd_event_source *pass_timer, *tick_timer, *probe_timer;
	struct prober *prober;
	struct nflog *nflog; /* of the ends of BGP sessions; nullptr where the kernel has none */
	sd_event_source *nflog_source;
	uint64_t nft_writes; /* of the gateway, when nft's notifications were read last */
	bool own_write;      /* there were some since then */
	struct server *server;
	struct server_context context;
	uint64_t credit_us, credit_at_us;
	uint64_t resync_at_us;
	unsigned resyncs;
	uint64_t asleep_us; /* BOOTTIME minus MONOTONIC at the last tick */
	struct link_tx tx;  /* the tunnel's, at the last tick */
	int tx_ifindex;
	bool tx_stalled;
	uint64_t queue_full_until_us;
};

/* Also sees to it that nothing looks at a configuration that is gone. */
static void make_conditions(struct loop *l)
{
	struct conditions next = {};
	frr_driver_step(l->context.frr_driver);
	if (l->context.bridge)
		bridge_step(l->context.bridge);
	if (l->context.tunnel)
		tunnel_step(l->context.tunnel);
	bool queue_full = l->queue_full_until_us > clock_monotonic_us();
	health_collect(&l->gateway, queue_full, &next);
	reload_health(&l->reload, &next);
	frr_conditions_collect(&l->frr, &next);
	bridge_health(l->context.bridge, &next);
	tunnel_health(l->context.tunnel, &next);
	if (!privilege_net_admin())
		conditions_add(&next, COND_CAPABILITY_MISSING, "CAP_NET_ADMIN",
			"meshgwd runs without CAP_NET_ADMIN and cannot change anything");
	conditions_commit(&l->conditions, &next, clock_realtime_us());
	if (l->context.answers)
		answers_step(l->context.answers);
	flow_watch_step(l->context.flow_watch);
}

static void arm(sd_event_source *timer, uint64_t at_us)
{
	if (sd_event_source_set_time(timer, at_us) < 0 ||
		sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT) < 0)
		abort();
}

/* True: something that is shown has changed. */
static bool run_prober(struct loop *l)
{
	bool changed = false;
	uint64_t next = prober_run(l->prober, clock_monotonic_us(), &changed);
	if (next)
		arm(l->probe_timer, next);
	return changed;
}

static void run_pass(struct loop *l)
{
	uint64_t now = clock_monotonic_us();
	uint64_t next = gateway_pass(&l->gateway, now);
	(void)run_prober(l);
	make_conditions(l);
	if (next)
		arm(l->pass_timer, next);
}

/* Full credit is for a burst; without credit the pass waits until there is some. */
static void request_pass(struct loop *l)
{
	uint64_t now = clock_monotonic_us();
	uint64_t earned = now - l->credit_at_us;
	l->credit_at_us = now;
	l->credit_us = l->credit_us + earned < LOOP_CREDIT_US ? l->credit_us + earned
							      : LOOP_CREDIT_US;
	if (l->credit_us < LOOP_PASS_US) {
		arm(l->pass_timer, now + LOOP_PASS_US);
		return;
	}
	l->credit_us -= LOOP_PASS_US;
	run_pass(l);
}

static void on_notification(enum watch_kind kind, const struct nlmsghdr *nlh, void *arg)
{
	struct loop *l = arg;
	/* One transaction of our own can be more than the socket holds (ENOBUFS comes first). */
	if (kind == WATCH_LOST)
		log_line(l->own_write ? LOG_DEBUG : LOG_WARNING, "loop",
			"notifications lost, reading everything again");
	gateway_event(&l->gateway, kind, nlh);
}

/* Clients come behind notifications. Where these never end, a reading lets clients go first, until
 * they have nothing more or the next tick comes: whoever asks without a pause must not keep us
 * from looking. */
static int let_clients_go_first(sd_event_source *watch, bool first)
{
	return sd_event_source_set_priority(
		watch, first ? SERVER_PRIORITY + 1 : SD_EVENT_PRIORITY_NORMAL);
}

static int on_watch(sd_event_source *source, int fd, uint32_t, void *userdata)
{
	struct loop *l = userdata;
	struct watch *w = l->watches[fd != watch_fd(l->watches[0])];
	bool nft = w == l->watches[1];
	l->own_write = nft && l->nft_writes != l->gateway.nft_writes;
	int r = watch_read(w, READ_BUDGET, on_notification, l);
	if (nft)
		l->nft_writes = l->gateway.nft_writes;
	if (r < 0) {
		log_err("loop", "notifications: %s", strerror(-r));
		return sd_event_exit(l->event, r);
	}
	if (l->gateway.dirty)
		request_pass(l);
	return let_clients_go_first(source, r == (int)READ_BUDGET);
}

static int on_pass_timer(sd_event_source *, uint64_t, void *userdata)
{
	request_pass(userdata);
	return 0;
}

static int on_probe_timer(sd_event_source *, uint64_t, void *userdata)
{
	struct loop *l = userdata;
	bool changed = run_prober(l);
	if (l->gateway.dirty)
		request_pass(l);
	else if (changed)
		make_conditions(l);
	return 0;
}

static void on_session_end(const struct addr *neighbor, void *arg)
{
	struct loop *l = arg;
	prober_session_ended(l->prober, neighbor, clock_monotonic_us());
	frr_sync_ended(&l->frr, neighbor, clock_monotonic_us());
	frr_driver_step(l->context.frr_driver);
}

static int on_nflog(sd_event_source *source, int, uint32_t, void *userdata)
{
	struct loop *l = userdata;
	int r = nflog_read(l->nflog, READ_BUDGET, on_session_end, l);
	if (r < 0) {
		log_warn("loop", "the ends of BGP sessions are heard no more: %s", strerror(-r));
		return sd_event_source_set_enabled(source, SD_EVENT_OFF);
	}
	if (run_prober(l))
		make_conditions(l);
	return 0;
}

/* A tunnel whose program stalls shows nothing but transmit drops. Some are part of any bulk
 * transfer: more lost than sent, and that in two seconds in a row, is not. */
static void sample_queue(struct loop *l, uint64_t now_us)
{
	const struct config *c = l->gateway.config;
	const struct link *link = c ? link_by_name(&l->gateway.seen.links, c->mesh_interface)
				    : nullptr;
	struct link_tx tx;
	struct kernel *k = l->gateway.kernel;
	if (!link || k->ops->link_tx(k, link->ifindex, &tx, nullptr) < 0)
		return;
	bool same = l->tx_ifindex == link->ifindex && link->flags & IFF_LOWER_UP;
	bool stalled = same && tx.dropped - l->tx.dropped > tx.sent - l->tx.sent;
	if (stalled && l->tx_stalled)
		l->queue_full_until_us = now_us + 5 * LOOP_TICK_US;
	l->tx_ifindex = link->ifindex;
	l->tx_stalled = stalled;
	l->tx = tx;
}

static int on_tick(sd_event_source *source, uint64_t, void *userdata)
{
	struct loop *l = userdata;
	uint64_t now = clock_monotonic_us(), boottime = clock_boottime_us();
	for (size_t i = 0; i < 2; i++)
		if (l->sources[i])
			(void)let_clients_go_first(l->sources[i], false);
	reload_tick(&l->reload, now, boottime);
	sample_queue(l, now);
	bool slept = clock_has_slept(&l->asleep_us, now, boottime, LOOP_TICK_US);
	if (slept)
		gateway_doubt(&l->gateway);
	if (now >= l->resync_at_us || slept) {
		bool all = slept || ++l->resyncs % LOOP_RESYNC_ALL == 0;
		l->resync_at_us = now + LOOP_RESYNC_US;
		gateway_mark(&l->gateway, all ? DIRTY_ALL : DIRTY_OURS);
	}
	if (l->gateway.dirty)
		run_pass(l);
	else
		make_conditions(l);
	arm(source, now + LOOP_TICK_US);
	return 0;
}

static int on_hangup(sd_event_source *, const struct signalfd_siginfo *, void *userdata)
{
	struct loop *l = userdata;
	uint64_t now = clock_monotonic_us();
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, now);
	reload_file(&l->reload, now, clock_boottime_us());
	run_pass(l);
	(void)sd_notify(0, "READY=1");
	return 0;
}

static void on_changed(void *arg)
{
	run_pass(arg);
}

static void on_frr_changed(void *arg)
{
	struct loop *l = arg;
	frr_proof_tell(&l->frr, &l->gateway.prove, clock_monotonic_us());
	(void)run_prober(l);
	make_conditions(l);
}

/* After reload_start(), which has read what is remembered. */
static int open_frr(struct loop *l, struct err *err)
{
	struct frr_driver_options options = {
		.program = l->options->vtysh, .changed = on_frr_changed, .arg = l};
	frr_sync_init(&l->frr, &l->gateway, reload_save_frr, &l->reload);
	l->frr.memory = l->frr.kept = reload_frr_memory(&l->reload);
	return frr_driver_new(l->event, &l->frr, &options, &l->context.frr_driver, err);
}

static int open_watch(struct loop *l, size_t i, int bus, struct err *err)
{
	int r = watch_open(bus, l->options->rcvbuf, &l->watches[i], err);
	if (r < 0)
		return r;
	r = sd_event_add_io(
		l->event, &l->sources[i], watch_fd(l->watches[i]), EPOLLIN, on_watch, l);
	return r < 0 ? err_set(err, -r, "event loop: %s", strerror(-r)) : 0;
}

static int add_signals(struct loop *l)
{
	int r = sd_event_add_signal(
		l->event, nullptr, SIGTERM | SD_EVENT_SIGNAL_PROCMASK, nullptr, nullptr);
	if (r >= 0)
		r = sd_event_add_signal(
			l->event, nullptr, SIGINT | SD_EVENT_SIGNAL_PROCMASK, nullptr, nullptr);
	if (r >= 0)
		r = sd_event_add_signal(
			l->event, nullptr, SIGHUP | SD_EVENT_SIGNAL_PROCMASK, on_hangup, l);
	return r;
}

static int add_timers(struct loop *l)
{
	uint64_t now = clock_monotonic_us();
	l->resync_at_us = now + LOOP_RESYNC_US;
	l->asleep_us = clock_boottime_us() - now;
	int r = sd_event_add_time(
		l->event, &l->pass_timer, CLOCK_MONOTONIC, now, 1, on_pass_timer, l);
	if (r >= 0)
		r = sd_event_source_set_enabled(l->pass_timer, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time(
			l->event, &l->probe_timer, CLOCK_MONOTONIC, now, 1, on_probe_timer, l);
	if (r >= 0)
		r = sd_event_source_set_enabled(l->probe_timer, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_time(l->event, &l->tick_timer, CLOCK_MONOTONIC, now + LOOP_TICK_US,
			LOOP_TICK_US / 10, on_tick, l);
	return r;
}

/* Only with CAP_NET_ADMIN. Without it nothing can be mended anyway, and there is a condition that
 * says why (make_conditions). */
static int open_netfilter(struct loop *l, struct err *err)
{
	int r = open_watch(l, 1, NETLINK_NETFILTER, err);
	if (r != -EPERM || privilege_net_admin())
		return r;
	log_err("loop", "CAP_NET_ADMIN is missing: meshgwd can look at routes and change nothing");
	return 0;
}

/* Without it the end of a BGP session is noticed by the next round that is due anyway. */
static int open_nflog(struct loop *l)
{
	struct err err = {};
	int r = nflog_open(MARK_NFLOG_GROUP, &l->nflog, &err);
	if (r < 0) {
		log_debug("loop", "the ends of BGP sessions cannot be heard: %s", err.msg);
		return 0;
	}
	l->gateway.hears_bgp = true;
	return sd_event_add_io(
		l->event, &l->nflog_source, nflog_fd(l->nflog), EPOLLIN, on_nflog, l);
}

static void adopt(struct loop *l, const struct loop_given *given)
{
	if (tunnel_stored(given->name))
		tunnel_adopt(l->context.tunnel, given->name, given->fd);
	else
		bridge_adopt(l->context.bridge, given->name, given->fd);
}

/* Watches are open before the first look, so that nothing falls between. */
static int setup(struct loop *l, struct err *err)
{
	int r = sd_event_default(&l->event);
	if (r >= 0)
		r = add_signals(l);
	if (r >= 0)
		r = add_timers(l);
	if (r >= 0)
		r = open_nflog(l);
	if (r >= 0)
		r = sd_event_set_watchdog(l->event, true);
	if (r < 0)
		return err_set(err, -r, "event loop: %s", strerror(-r));
	r = open_watch(l, 0, NETLINK_ROUTE, err);
	if (r >= 0)
		r = open_netfilter(l, err);
	if (r >= 0)
		r = reload_start(&l->reload, err);
	if (r >= 0)
		r = open_frr(l, err);
	if (r < 0)
		return r;
	l->context.flow_watch = flow_watch_new(l->event, &l->context);
	l->context.bridge = bridge_new(l->event, &l->context,
		l->options->bridge_user ? l->options->bridge_user : BRIDGE_USER, API_PROBE_SOCKET);
	l->context.tunnel = tunnel_new(&l->context,
		l->options->tunnel_user ? l->options->tunnel_user : TUNNEL_USER, API_PROBE_SOCKET);
	for (size_t i = 0; i < l->options->n_kept; i++)
		adopt(l, &l->options->kept[i]);
	run_pass(l);
	return server_new(l->event, l->options->runtime_dir, &l->context, &l->server, err);
}

static void teardown(struct loop *l)
{
	flow_watch_free(l->context.flow_watch);
	bridge_free(l->context.bridge);
	l->context.bridge = nullptr;
	tunnel_free(l->context.tunnel);
	l->context.tunnel = nullptr;
	server_free(l->server);
	frr_driver_free(l->context.frr_driver);
	frr_sync_clear(&l->frr);
	for (size_t i = 0; i < 2; i++) {
		sd_event_source_disable_unref(l->sources[i]);
		watch_close(l->watches[i]);
	}
	sd_event_source_disable_unref(l->nflog_source);
	nflog_close(l->nflog);
	sd_event_source_disable_unref(l->probe_timer);
	prober_free(l->prober);
	sd_event_source_disable_unref(l->pass_timer);
	sd_event_source_disable_unref(l->tick_timer);
	reload_clear(&l->reload);
	conditions_clear(&l->conditions);
	gateway_clear(&l->gateway);
	sd_event_unref(l->event);
}

int loop_run(const struct loop_options *options, struct kernel *kernel, struct store *store,
	struct err *err)
{
	struct loop l = {.options = options,
		.credit_us = LOOP_CREDIT_US,
		.credit_at_us = clock_monotonic_us()};
	l.context = (struct server_context){.reload = &l.reload,
		.frr = &l.frr,
		.conditions = &l.conditions,
		.changed = on_changed,
		.arg = &l};
	gateway_init(&l.gateway, kernel, reload_save_records, &l.reload);
	reload_init(&l.reload, &l.gateway, store, options->config_path);
	l.prober = prober_new(&l.gateway);
	int r = setup(&l, err);
	if (r >= 0) {
		(void)sd_notify(0, "READY=1");
		log_info("loop", "ready version=%s", MESHGW_VERSION);
		r = sd_event_loop(l.event);
		(void)sd_notify(0, "STOPPING=1");
		log_info("loop", "stopping; routes, rules and nft stay as they are");
		if (r < 0)
			err_set(err, -r, "event loop: %s", strerror(-r));
	}
	teardown(&l);
	return r;
}
