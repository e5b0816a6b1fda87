/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meshgw-bridge: HTTP on the gateway's mesh addresses.
 *
 * The main thread has the program's life in hand: configuration, listening sockets, signals. The
 * threads of proxy/ serve.
 */
#include "lib/json.h"
#include "lib/log.h"
#include "lib/own.h"
#include "proxy/proxy.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

constexpr unsigned LISTENERS_MAX = 64;

struct bridge {
	const char *file;
	struct proxy *proxy;
	sd_event *event;
};

static const char usage[] = "usage: meshgw-bridge --config FILE\n";

static int load(const char *file, const struct bridge_config **out, struct err *err)
{
	autojson sd_json_variant *json = nullptr;
	unsigned line = 0, column = 0;

	int r = sd_json_parse_file(nullptr, file, SD_JSON_PARSE_SENSITIVE, &json, &line, &column);
	if (r < 0)
		return err_set(err, -r, "%s:%u:%u: %s", file, line, column, strerror(-r));
	return bridge_config_from_json(json, out, err);
}

static int on_reload(sd_event_source *, const struct signalfd_siginfo *, void *userdata)
{
	struct bridge *b = userdata;
	const struct bridge_config *config;
	struct err err = {};

	if (load(b->file, &config, &err) < 0)
		log_err("bridge", "the configuration stays as it was: %s", err.msg);
	else
		proxy_configure(b->proxy, config);
	return 0;
}

static int on_drained(sd_event_source *, int, uint32_t, void *userdata)
{
	struct bridge *b = userdata;
	sd_event_exit(b->event, 0);
	return 0;
}

static int on_stop(sd_event_source *, const struct signalfd_siginfo *, void *userdata)
{
	struct bridge *b = userdata;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	sd_notify(false, "STOPPING=1");
	if (fd < 0 || sd_event_add_io(b->event, nullptr, fd, EPOLLIN, on_drained, b) < 0)
		sd_event_exit(b->event, 0);
	else
		proxy_drain(b->proxy, fd);
	return 0;
}

static int add_signals(struct bridge *b)
{
	constexpr int block = SD_EVENT_SIGNAL_PROCMASK;

	int r = sd_event_add_signal(b->event, nullptr, SIGTERM | block, on_stop, b);
	if (r >= 0)
		r = sd_event_add_signal(b->event, nullptr, SIGINT | block, on_stop, b);
	if (r >= 0)
		r = sd_event_add_signal(b->event, nullptr, SIGHUP | block, on_reload, b);
	return r;
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

static int run(struct bridge *b, struct err *err)
{
	const struct bridge_config *config;

	int r = sd_event_default(&b->event);
	if (r < 0 || (r = add_signals(b)) < 0)
		return err_set(err, -r, "event loop: %s", strerror(-r));
	r = load(b->file, &config, err);
	if (r < 0)
		return r;
	b->proxy = proxy_new(config);
	r = listen_on_given(b, err);
	if (r < 0)
		return r;
	sd_notify(false, "READY=1");
	return sd_event_loop(b->event);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, nullptr, 'c'}, {}};
	struct bridge b = {};
	struct err err = {};
	int c;

	while ((c = getopt_long(argc, argv, "c:", options, nullptr)) == 'c')
		b.file = optarg;
	if (c != -1 || optind != argc || !b.file) {
		fputs(usage, stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	int r = run(&b, &err);
	if (r < 0)
		log_err("bridge", "%s", err.msg);
	proxy_free(b.proxy);
	sd_event_unref(b.event);
	return r < 0;
}
