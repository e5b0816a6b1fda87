/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/observe.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/own.h"
#include <errno.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <systemd/sd-varlink.h>
#include <time.h>
#include <unistd.h>

constexpr unsigned READ_BUDGET = 64;   /* packets, before others get their turn */
constexpr unsigned LAST_BUDGET = 4096; /* at the end */
constexpr int UNREAD_MAX = 256 * 1024; /* bytes of answers that the client has not taken */
constexpr uint64_t ACCURACY_US = 1000;

struct session {
	struct observer *observer;
	sd_event *event;
	sd_varlink_server *server;
	sd_varlink *link; /* of the call that runs, owned */
	sd_event_source *silence, *injector, *replier, *ender;
	sd_event_source *packets, *hooks;
	struct request request;
	struct gather *gather;
	uint64_t begun_us;
	size_t injected;
	uint8_t lladdr[6];
	bool called;
};

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1'000'000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- answers ---- */

static int reply(struct session *s, bool done)
{
	autojson sd_json_variant *facts = nullptr, *parameters = nullptr;
	int r = gather_facts(s->gather, &facts);
	if (r >= 0)
		r = sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_VARIANT("facts", facts),
			SD_JSON_BUILD_PAIR_BOOLEAN("done", done));
	if (r < 0)
		return r;
	return done ? sd_varlink_reply(s->link, parameters)
		    : sd_varlink_notify(s->link, parameters);
}

static bool is_reading(const struct session *s)
{
	int unread = 0, fd = sd_varlink_get_fd(s->link);
	return fd >= 0 && ioctl(fd, SIOCOUTQ, &unread) >= 0 && unread <= UNREAD_MAX;
}

static int arm(sd_event_source *timer, uint64_t at_us)
{
	int r = sd_event_source_set_time(timer, at_us);
	return r < 0 ? r : sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

static int on_replier(sd_event_source *timer, uint64_t, void *userdata)
{
	struct session *s = userdata;
	int r = 0;
	if (gather_is_changed(s->gather) && is_reading(s))
		r = reply(s, false);
	return r < 0 ? r : arm(timer, now_us() + OBSERVE_REPLY_US);
}

/* ---- what is seen ---- */

static int on_packets(sd_event_source *, int, uint32_t, void *userdata)
{
	struct session *s = userdata;
	capture_read(&s->observer->capture, s->gather, READ_BUDGET, s->begun_us);
	return 0;
}

static int on_drops(sd_event_source *, int, uint32_t, void *userdata)
{
	struct session *s = userdata;
	hooks_read(s->observer->hooks, s->gather);
	return 0;
}

/* What still lies in the buffers, and what had no room in them. */
static void read_rest(struct session *s)
{
	const struct capture *c = &s->observer->capture;
	if (c->fd >= 0)
		capture_read(c, s->gather, LAST_BUDGET, s->begun_us);
	if (capture_lost(c))
		gather_missing(
			s->gather, OBSERVER_PACKETS, "packets came faster than they were read");
	hooks_read(s->observer->hooks, s->gather);
}

/* ---- injection ---- */

static void inject(struct session *s, struct injection *i)
{
	uint8_t packet[BUILD_MAX];
	struct err err = {};
	memcpy(i->packet.lladdr, s->lladdr, sizeof(s->lladdr));
	size_t len = build_packet(&i->packet, packet);
	if (hooks_inject(s->observer->hooks, packet, len, &err) < 0)
		gather_missing(s->gather, OBSERVER_INJECTION, err.msg);
}

static int on_injector(sd_event_source *timer, uint64_t, void *userdata)
{
	struct session *s = userdata;
	struct request_injections *all = &s->request.inject;
	while (s->injected < all->n &&
		s->begun_us + all->list[s->injected].at_us <= now_us() + ACCURACY_US)
		inject(s, &all->list[s->injected++]);
	return s->injected < all->n ? arm(timer, s->begun_us + all->list[s->injected].at_us) : 0;
}

/* Where the interface has link addresses a packet must be for its own. */
static void find_lladdr(struct session *s)
{
	struct ifreq ifr = {};
	memcpy(ifr.ifr_name, s->request.mesh, IFNAMSIZ);
	autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &ifr) >= 0 &&
		ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER)
		memcpy(s->lladdr, ifr.ifr_hwaddr.sa_data, sizeof(s->lladdr));
}

/* ---- the call ---- */

static int on_end(sd_event_source *, uint64_t, void *userdata)
{
	struct session *s = userdata;
	read_rest(s);
	s->packets = sd_event_source_disable_unref(s->packets);
	s->hooks = sd_event_source_disable_unref(s->hooks);
	(void)sd_event_source_set_enabled(s->replier, SD_EVENT_OFF);
	(void)sd_event_source_set_enabled(s->injector, SD_EVENT_OFF);
	hooks_disarm(s->observer->hooks);
	capture_close(&s->observer->capture);
	int r = reply(s, true);
	s->link = sd_varlink_unref(s->link);
	return r < 0 ? r : arm(s->silence, now_us() + OBSERVE_SILENCE_US);
}

static int listen_to(struct session *s)
{
	int r = 0, packets = s->observer->capture.fd, drops = hooks_event_fd(s->observer->hooks);
	if (packets >= 0)
		r = sd_event_add_io(s->event, &s->packets, packets, EPOLLIN, on_packets, s);
	if (r >= 0 && drops >= 0)
		r = sd_event_add_io(s->event, &s->hooks, drops, EPOLLIN, on_drops, s);
	return r;
}

static void say_missing(struct session *s)
{
	const struct observer *o = s->observer;
	if (o->no_packets.code)
		gather_missing(s->gather, OBSERVER_PACKETS, o->no_packets.msg);
	if (o->no_drops.code)
		gather_missing(s->gather, OBSERVER_DROPS, o->no_drops.msg);
	if (o->no_injection.code && s->request.inject.n)
		gather_missing(s->gather, OBSERVER_INJECTION, o->no_injection.msg);
}

static int start_looking(struct session *s)
{
	struct observer *o = s->observer;
	struct stat netns;
	if (stat("/proc/self/ns/net", &netns) < 0)
		return -errno;
	find_lladdr(s);
	capture_find(&o->capture, &s->request);
	struct err err = {};
	int r = hooks_arm(o->hooks, &s->request, o->capture.ifindex, (uint32_t)netns.st_ino, &err);
	if (r < 0) {
		log_err("trace", "%s", err.msg);
		return r;
	}
	if (!o->no_packets.code)
		(void)capture_start(&o->capture, hooks_filter_fd(o->hooks), &o->no_packets);
	if (o->capture.ifindex[0] == 0 && !o->no_injection.code)
		err_set(&o->no_injection, ENODEV, "there is no interface %s", s->request.mesh);
	say_missing(s);
	return listen_to(s);
}

static int begin(struct session *s)
{
	s->begun_us = now_us();
	s->gather = gather_new(&s->request);
	int r = start_looking(s);
	if (r >= 0)
		r = reply(s, false);
	if (r >= 0)
		r = arm(s->ender, s->begun_us + s->request.duration_us);
	if (r >= 0)
		r = arm(s->replier, s->begun_us + OBSERVE_REPLY_US);
	if (r >= 0 && s->request.inject.n && !s->observer->no_injection.code)
		r = arm(s->injector, s->begun_us + s->request.inject.list[0].at_us);
	return r;
}

static int on_observe(sd_varlink *link, sd_json_variant *parameters,
	sd_varlink_method_flags_t flags, void *userdata)
{
	struct session *s = userdata;
	const char *bad = nullptr;
	if (!(flags & SD_VARLINK_METHOD_MORE))
		return sd_varlink_error(link, SD_VARLINK_ERROR_EXPECTED_MORE, nullptr);
	if (s->called)
		return sd_varlink_error_errno(link, -EBUSY);
	int r = request_read(parameters, &s->request, &bad);
	if (r < 0)
		return bad ? sd_varlink_error_invalid_parameter_name(link, bad)
			   : sd_varlink_error_errno(link, r);
	s->called = true;
	(void)sd_event_source_set_enabled(s->silence, SD_EVENT_OFF);
	s->link = sd_varlink_ref(link);
	r = begin(s);
	if (r < 0)
		log_err("trace", "cannot observe: %s", strerror(-r));
	return r < 0 ? sd_event_exit(s->event, r) : 0;
}

/* ---- the connection ---- */

static int on_silence(sd_event_source *, uint64_t, void *userdata)
{
	const struct session *s = userdata;
	return sd_event_exit(s->event, 0);
}

static void on_disconnect(sd_varlink_server *, sd_varlink *, void *userdata)
{
	const struct session *s = userdata;
	(void)sd_event_exit(s->event, 0);
}

static int add_timer(struct session *s, sd_event_source **timer, sd_event_time_handler_t handler)
{
	int r = sd_event_add_time(
		s->event, timer, CLOCK_MONOTONIC, UINT64_MAX, ACCURACY_US, handler, s);
	return r < 0 ? r : sd_event_source_set_enabled(*timer, SD_EVENT_OFF);
}

static int add_timers(struct session *s)
{
	int r = add_timer(s, &s->silence, on_silence);
	if (r >= 0)
		r = add_timer(s, &s->injector, on_injector);
	if (r >= 0)
		r = add_timer(s, &s->replier, on_replier);
	if (r >= 0)
		r = add_timer(s, &s->ender, on_end);
	return r < 0 ? r : arm(s->silence, now_us() + OBSERVE_SILENCE_US);
}

static int serve(struct session *s, int fd)
{
	sd_varlink *link;
	int r = sd_varlink_server_new(&s->server, SD_VARLINK_SERVER_INHERIT_USERDATA);
	if (r < 0)
		return r;
	sd_varlink_server_set_userdata(s->server, s);
	r = sd_varlink_server_add_interface(s->server, &api_trace_interface);
	if (r >= 0)
		r = sd_varlink_server_bind_method(s->server, API_TRACE_OBSERVE, on_observe);
	if (r >= 0)
		r = sd_varlink_server_bind_disconnect(s->server, on_disconnect);
	if (r >= 0)
		r = sd_varlink_server_attach_event(s->server, s->event, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = sd_varlink_server_add_connection(s->server, fd, &link);
	return r;
}

static void session_clear(struct session *s)
{
	sd_varlink_unref(s->link);
	sd_varlink_server_unref(s->server);
	sd_event_source_disable_unref(s->packets);
	sd_event_source_disable_unref(s->hooks);
	sd_event_source_disable_unref(s->silence);
	sd_event_source_disable_unref(s->injector);
	sd_event_source_disable_unref(s->replier);
	sd_event_source_disable_unref(s->ender);
	sd_event_unref(s->event);
	gather_free(s->gather);
}

int observe_run(struct observer *o, int fd, struct err *err)
{
	struct session s = {.observer = o};
	int r = sd_event_new(&s.event);
	if (r >= 0)
		r = add_timers(&s);
	if (r >= 0)
		r = serve(&s, fd);
	if (r < 0)
		close(fd);
	else
		r = sd_event_loop(s.event);
	session_clear(&s);
	return r < 0 ? err_set(err, -r, "varlink: %s", strerror(-r)) : 0;
}
