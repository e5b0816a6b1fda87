/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meshgw-trace: packets and drops of one flow, for one connection of meshgwd's.
 *
 * systemd starts one of these for each connection, which is its descriptor 3. All that takes
 * privileges is done before the first byte of it is read; then they are given up.
 */
#include "lib/log.h"
#include "trace/give_up.h"
#include "trace/observe.h"
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

static const char usage[] = "usage: meshgw-trace [--debug | --version | --help]\n"
			    "It is started by meshgw-trace.socket.\n";

enum { EXIT_USAGE = 2, EXIT_REFUSED = 77 };

/* Who may look at this host's packets: its control plane, and root. */
static bool is_allowed(int fd)
{
	struct ucred peer = {};
	socklen_t len = sizeof(peer);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	const struct passwd *pw = getpwnam("meshgw");
	return peer.uid == 0 || (pw && pw->pw_uid == peer.uid);
}

static int take_connection(struct err *err)
{
	int n = sd_listen_fds(1);
	if (n != 1 || sd_is_socket(SD_LISTEN_FDS_START, AF_UNIX, SOCK_STREAM, 0) <= 0)
		return err_set(err, EINVAL, "no connection was handed over");
	return SD_LISTEN_FDS_START;
}

static int run(int fd, struct err *err)
{
	struct observer o = {};
	(void)capture_open(&o.capture, &o.no_packets);
	o.hooks = hooks_open(&o.no_drops, &o.no_injection);
	int r = give_up_privileges(err);
	if (r >= 0)
		r = observe_run(&o, fd, err);
	hooks_close(o.hooks);
	capture_close(&o.capture);
	return r;
}

static int parse_options(int argc, char **argv)
{
	if (argc == 1)
		return -1;
	if (argc == 2 && !strcmp(argv[1], "--debug")) {
		log_set_level(LOG_DEBUG);
		return -1;
	}
	if (argc == 2 && !strcmp(argv[1], "--version"))
		return puts("meshgw-trace " MESHGW_VERSION) < 0;
	bool help = argc == 2 && !strcmp(argv[1], "--help");
	fputs(usage, help ? stdout : stderr);
	return help ? EXIT_SUCCESS : EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct err err = {};
	int status = parse_options(argc, argv);
	if (status >= 0)
		return status;
	int fd = take_connection(&err);
	if (fd >= 0 && !is_allowed(fd)) {
		log_warn("trace", "refused: only meshgw and root may ask");
		return EXIT_REFUSED;
	}
	int r = fd < 0 ? fd : run(fd, &err);
	if (r < 0)
		log_err("trace", "%s", err.msg);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
