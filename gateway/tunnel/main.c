/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meshgw-tunnel: CONNECT-IP over HTTP/3 (RFC 9484), as connector or edge.
 */
#include "ask_pin.h"
#include "lib/api.h"
#include "lib/log.h"
#include "program.h"
#include <getopt.h>
#include <signal.h>
#include <stdio.h>

static const char usage[] = "usage: meshgw-tunnel [--debug] [--socket PATH] | --pin\n";

static const struct option names[] = {
	{"debug", no_argument, nullptr, 'd'},
	{"pin", no_argument, nullptr, 'p'},
	{"socket", required_argument, nullptr, 's'},
	{},
};

int main(int argc, char **argv)
{
	const char *socket = API_TUNNEL_SOCKET;
	struct err err = {};
	bool pin = false;
	int c;

	while ((c = getopt_long(argc, argv, "", names, nullptr)) == 's' || c == 'd' || c == 'p')
		if (c == 's')
			socket = optarg;
		else if (c == 'p')
			pin = true;
		else
			log_set_level(LOG_DEBUG);
	if (c != -1 || optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	if (pin)
		return ask_pin();
	/* A peer that is gone is an error of a write, not a reason to end. */
	signal(SIGPIPE, SIG_IGN);
	int r = program_run(socket, &err);
	if (r < 0)
		log_err("tunnel", "%s", err.msg);
	return r < 0;
}
