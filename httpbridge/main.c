/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meshgw-bridge: HTTP on the gateway's mesh addresses.
 */
#include "bridge.h"
#include "lib/api.h"
#include "lib/log.h"
#include <getopt.h>
#include <signal.h>
#include <stdio.h>

static const char usage[] = "usage: meshgw-bridge [--socket PATH | --config FILE]\n";

static const struct option names[] = {
	{"config", required_argument, nullptr, 'c'},
	{"socket", required_argument, nullptr, 's'},
	{},
};

int main(int argc, char **argv)
{
	struct bridge_options options = {.socket = API_BRIDGE_SOCKET};
	struct err err = {};
	int c;

	while ((c = getopt_long(argc, argv, "", names, nullptr)) == 'c' || c == 's')
		*(c == 'c' ? &options.file : &options.socket) = optarg;
	if (c != -1 || optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	/* A peer that is gone is an error of a write, not a reason to end. */
	signal(SIGPIPE, SIG_IGN);
	int r = bridge_run(&options, &err);
	if (r < 0)
		log_err("bridge", "%s", err.msg);
	return r < 0;
}
