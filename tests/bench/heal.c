/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heal: makes a fault in the kernel's state and takes the time until somebody has mended it.
 *
 * It owns the tunnel device, as the tunnel's client would, and knows neither meshgwd nor zebra: a
 * state counts as mended when the kernel announces that it is as it was. The time runs from just
 * before the system call that makes the fault, so it holds the kernel's own work on it too; the
 * fault's announcement would be a worse begin, because an observer that is woken late would make
 * the repair look faster. How long that call took is told as well.
 *
 * Commands are lines on stdin, each answered by one JSON line:
 *
 *   learn              remember the routes to the prefixes as they are now
 *   route PREFIX       delete that route
 *   tun                delete the tunnel device and make it again; mended when every route is
 *                      back, counted from before the new device is set up
 *   forwarding 4|6 IF  switch forwarding off (IF may be "all")
 *   flush              delete all nft tables; mended when inet meshgw is there again
 *   flush-owned        the same, but inet meshgw must not have noticed
 */
#include "faults.h"
#include "lib/xmalloc.h"
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

constexpr size_t words_max = 4;

static void answer(int r, const struct faults_took *took)
{
	if (r == -ETIMEDOUT)
		puts("{\"mended\": false}");
	else if (r < 0)
		printf("{\"error\": \"%s\"}\n", strerror(-r));
	else
		printf("{\"mended\": true, \"us\": %.1f, \"fault_us\": %.1f}\n",
			(double)took->mended_ns / 1e3, (double)took->fault_ns / 1e3);
	fflush(stdout);
}

static const struct command {
	const char *name;
	size_t args;
	int (*run)(struct faults *f, char **args, struct faults_took *took);
} commands[] = {
	{"learn", 0, faults_learn},
	{"route", 1, faults_route},
	{"tun", 0, faults_tun},
	{"forwarding", 2, faults_forwarding},
	{"flush", 0, faults_flush},
	{"flush-owned", 0, faults_flush_owned},
};

static void serve_line(struct faults *f, char *line)
{
	char *words[words_max + 1];
	size_t n = 0;
	struct faults_took took = {};
	for (char *save, *w = strtok_r(line, " \n", &save); w && n < words_max;
		w = strtok_r(nullptr, " \n", &save))
		words[n++] = w;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *c = &commands[i];
		if (n != c->args + 1 || strcmp(words[0], c->name) != 0)
			continue;
		int r = c->run(f, words + 1, &took);
		answer(r, &took);
		return;
	}
	answer(-EINVAL, &took);
}

static struct prefix prefix_arg(const char *text)
{
	struct prefix p;
	if (prefix_parse(text, &p) < 0)
		errx(2, "%s: not a prefix", text);
	return p;
}

static const struct option long_options[] = {
	{"tun", required_argument, nullptr, 't'},
	{"address", required_argument, nullptr, 'a'},
	{},
};

static struct faults_setup setup_parse(int argc, char **argv)
{
	struct faults_setup s = {};
	size_t cap_addresses = 0, cap_prefixes = 0;
	for (int c; (c = getopt_long(argc, argv, "", long_options, nullptr)) != -1;) {
		if (c == 't') {
			s.tun = optarg;
		} else if (c == 'a') {
			XGROW(s.addresses, s.n_addresses, cap_addresses);
			s.addresses[s.n_addresses++] = prefix_arg(optarg);
		} else {
			errx(2, "usage: heal [--tun NAME [--address PREFIX]...] PREFIX...");
		}
	}
	for (int i = optind; i < argc; i++) {
		XGROW(s.prefixes, s.n_prefixes, cap_prefixes);
		s.prefixes[s.n_prefixes++] = prefix_arg(argv[i]);
	}
	return s;
}

int main(int argc, char **argv)
{
	struct faults_setup setup = setup_parse(argc, argv);
	struct faults *f = faults_new(&setup);
	char line[256];

	answer(0, &(struct faults_took){});
	while (fgets(line, sizeof(line), stdin))
		serve_line(f, line);
	faults_free(f);
	free(setup.addresses);
	free(setup.prefixes);
	return 0;
}
