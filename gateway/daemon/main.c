/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meshgwd: options, the lock, privileges; then the loop, or one task for `meshgw`.
 */
#include "daemon/bridge_store.h"
#include "daemon/kernel_linux.h"
#include "daemon/loop.h"
#include "daemon/once.h"
#include "daemon/privilege.h"
#include "daemon/tunnel.h"
#include "diagnose/diagnose.h"
#include "lib/log.h"
#include "lib/marks.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "nft/legacy.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_RUNNING = 75, /* EX_TEMPFAIL: another meshgwd holds the lock, or the table */
};

struct options {
	const char *config, *state_dir, *runtime_dir, *user, *once, *vtysh;
	bool down;
	struct once_diagnosis diagnosis;
	int limit_ms;
	int rcvbuf;
	struct loop_given *kept;
	size_t n_kept;
};

static const char usage[] =
	"usage: meshgwd [--config FILE] [--state-dir DIR] [--runtime-dir DIR] [--user USER]\n"
	"               [--receive-buffer BYTES] [--vtysh PROGRAM] [--debug[=TOKENS]]\n"
	"               [--once down | --once doctor | --once plan [FILE | --down] |\n"
	"                --once diagnose [--from CLASS|ADDRESS] [--passive] [--limit MS] TARGET]\n"
	"       meshgwd --help | --version\n";

enum {
	OPT_CONFIG = 256,
	OPT_STATE,
	OPT_RUNTIME,
	OPT_USER,
	OPT_ONCE,
	OPT_DOWN,
	OPT_DEBUG,
	OPT_RCVBUF,
	OPT_VTYSH,
	OPT_FROM,
	OPT_PASSIVE,
	OPT_LIMIT,
	OPT_VERSION,
	OPT_HELP
};

static const struct option long_options[] = {
	{"config", required_argument, nullptr, OPT_CONFIG},
	{"state-dir", required_argument, nullptr, OPT_STATE},
	{"runtime-dir", required_argument, nullptr, OPT_RUNTIME},
	{"user", required_argument, nullptr, OPT_USER},
	{"once", required_argument, nullptr, OPT_ONCE},
	{"down", no_argument, nullptr, OPT_DOWN},
	{"debug", optional_argument, nullptr, OPT_DEBUG},
	{"receive-buffer", required_argument, nullptr, OPT_RCVBUF},
	{"vtysh", required_argument, nullptr, OPT_VTYSH},
	{"from", required_argument, nullptr, OPT_FROM},
	{"passive", no_argument, nullptr, OPT_PASSIVE},
	{"limit", required_argument, nullptr, OPT_LIMIT},
	{"version", no_argument, nullptr, OPT_VERSION},
	{"help", no_argument, nullptr, OPT_HELP},
	{},
};

/* What the kernel would not double into something negative (sock_setsockopt(), SO_RCVBUF). */
static bool parse_positive(const char *text, int *out)
{
	char *end;
	errno = 0;
	long value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < 1 || value > INT_MAX / 2)
		return false;
	*out = (int)value;
	return true;
}

/* Returns an exit status, or -1 to go on. */
static int parse_options(int argc, char **argv, struct options *o)
{
	for (int c; (c = getopt_long(argc, argv, "", long_options, nullptr)) != -1;) {
		switch (c) {
		case OPT_CONFIG:
			o->config = optarg;
			break;
		case OPT_STATE:
			o->state_dir = optarg;
			break;
		case OPT_RUNTIME:
			o->runtime_dir = optarg;
			break;
		case OPT_USER:
			o->user = optarg;
			break;
		case OPT_ONCE:
			o->once = optarg;
			break;
		case OPT_DOWN:
			o->down = true;
			break;
		case OPT_RCVBUF:
			if (parse_positive(optarg, &o->rcvbuf))
				break;
			fprintf(stderr, "meshgwd: --receive-buffer: not a number of bytes: %s\n",
				optarg);
			return EXIT_USAGE;
		case OPT_FROM:
			o->diagnosis.from = optarg;
			break;
		case OPT_PASSIVE:
			o->diagnosis.passive = true;
			break;
		case OPT_LIMIT:
			if (parse_positive(optarg, &o->limit_ms))
				break;
			fprintf(stderr, "meshgwd: --limit: not a number of milliseconds: %s\n",
				optarg);
			return EXIT_USAGE;
		case OPT_VTYSH:
			o->vtysh = optarg;
			break;
		case OPT_DEBUG:
			log_set_level(LOG_DEBUG);
			log_set_tokens(optarg);
			break;
		case OPT_VERSION:
			puts("meshgwd " MESHGW_VERSION);
			return EXIT_DONE;
		case OPT_HELP:
			fputs(usage, stdout);
			return EXIT_DONE;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	return -1;
}

/* systemd makes the two directories; root by hand makes what is missing. */
static int make_directories(const struct options *o, struct err *err)
{
	const struct {
		const char *path;
		mode_t mode;
	} dirs[] = {{o->state_dir, 0750}, {o->runtime_dir, 0755}};
	const struct passwd *pw = geteuid() == 0 ? getpwnam(o->user) : nullptr;
	for (size_t i = 0; i < 2; i++) {
		if (mkdir(dirs[i].path, dirs[i].mode) < 0) {
			if (errno != EEXIST)
				return err_set(err, errno, "%s: %s", dirs[i].path, strerror(errno));
		} else if (pw && chown(dirs[i].path, pw->pw_uid, pw->pw_gid) < 0) {
			return err_set(err, errno, "%s: %s", dirs[i].path, strerror(errno));
		}
	}
	return 0;
}

/* One daemon a runtime directory. The lock file names its holder for `meshgw`, which reads it as
 * root. */
static int take_lock(const char *dir, struct err *err)
{
	char path[256], pid[32];
	snprintf(path, sizeof(path), "%s/meshgwd.lock", dir);
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_set(err, errno, "%s: %s", path, strerror(errno));
		ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);
		pid[n > 0 ? n : 0] = '\0';
		pid[strcspn(pid, "\n")] = '\0';
		return err_set(err, EBUSY, "another meshgwd is running (pid %s)", pid);
	}
	int len = snprintf(pid, sizeof(pid), "%d\n", getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)len, 0) != len)
		return err_set(err, errno, "%s: %s", path, strerror(errno));
	return fd_take(&fd);
}

/* file: also the target of a diagnosis. */
static int run_once(const struct options *o, const char *file, struct kernel *k, struct store *s)
{
	struct once_diagnosis ask = o->diagnosis;
	struct once_options once = {
		.config_path = file, .etc_path = o->config, .vtysh = o->vtysh, .down = o->down};
	if (!strcmp(o->once, "down"))
		return once_down(&once, k, s);
	if (!strcmp(o->once, "doctor"))
		return once_doctor(&once, k, s);
	if (!strcmp(o->once, "diagnose")) {
		ask.target = file;
		ask.limit_us = (uint64_t)o->limit_ms * 1000;
		return once_diagnose(&once, &ask, k, s);
	}
	return once_plan(&once, k, s);
}

/* With directories of its own a second daemon would not meet the lock. A table whose owner is gone
 * has no owner's flag (Linux 6.9, nft_rcv_nl_event()); without one nothing can be told. */
static int refuse_second(struct kernel *k, struct err *err)
{
	struct nft_state table = {};
	if (k->ops->nft_read(k, &table, nullptr) < 0 || !table.owned)
		return 0;
	return err_set(err, EBUSY,
		"another process owns table inet " MARK_NFT_TABLE
		": is another meshgwd running in this network namespace?");
}

static int run(const struct options *o, const char *file, struct err *err)
{
	struct kernel *kernel = nullptr;
	struct store *store = nullptr;
	int r = kernel_linux_open(&kernel, err);
	if (r < 0)
		return r;
	if (!o->once)
		r = refuse_second(kernel, err);
	if (r >= 0)
		r = store_open(o->state_dir, &store, err);
	if (r >= 0 && o->once)
		r = run_once(o, file, kernel, store);
	else if (r >= 0)
		r = loop_run(&(struct loop_options){.config_path = o->config,
				     .runtime_dir = o->runtime_dir,
				     .vtysh = o->vtysh,
				     .kept = o->kept,
				     .n_kept = o->n_kept,
				     .rcvbuf = o->rcvbuf},
			kernel, store, err);
	store_close(store);
	kernel->ops->close(kernel);
	return r;
}

/* Lists that only root may open: systemd has, or we have, before we became a user. And what the
 * meshgwd before us left with systemd. */
static void take_given(struct options *o)
{
	char **names = nullptr;
	int n = sd_listen_fds_with_names(true, &names);
	size_t cap = 0;

	nft_legacy_open();
	for (int i = 0; i < n; i++) {
		int fd = SD_LISTEN_FDS_START + i;
		if (!strcmp(names[i], "ip_tables")) {
			nft_legacy_keep(AF_INET, fd);
		} else if (!strcmp(names[i], "ip6_tables")) {
			nft_legacy_keep(AF_INET6, fd);
		} else if (bridge_store_named(names[i]) || tunnel_stored(names[i])) {
			XGROW(o->kept, o->n_kept, cap);
			o->kept[o->n_kept++] = (struct loop_given){names[i], fd};
			continue;
		}
		free(names[i]);
	}
	free(names);
}

static void forget_given(struct options *o)
{
	for (size_t i = 0; i < o->n_kept; i++)
		free(o->kept[i].name);
	free(o->kept);
}

static bool usable(const struct options *o, const char *file)
{
	if (!o->once)
		return !file && !o->down;
	if (!strcmp(o->once, "down") || !strcmp(o->once, "doctor"))
		return !file && !o->down;
	if (!strcmp(o->once, "diagnose"))
		return file && !o->down;
	return !strcmp(o->once, "plan") && !(file && o->down);
}

int main(int argc, char **argv)
{
	struct options o = {.config = "/etc/meshgw/meshgw.yaml",
		.state_dir = "/var/lib/meshgw",
		.runtime_dir = "/run/meshgw",
		.user = "meshgw",
		.limit_ms = DIAGNOSE_LIMIT_US / 1000};
	struct err err = {};
	int status = parse_options(argc, argv, &o);
	if (status >= 0)
		return status;
	const char *file = optind < argc ? argv[optind++] : nullptr;
	if (optind < argc || !usable(&o, file)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	int r = make_directories(&o, &err);
	umask(0027);
	take_given(&o);
	if (r >= 0)
		r = privilege_settle(o.user, &err);
	if (r >= 0)
		r = take_lock(o.runtime_dir, &err);
	autoclose int lock = r;
	if (lock >= 0)
		r = run(&o, file, &err);
	forget_given(&o);
	if (r >= 0)
		return r;
	log_err("meshgwd", "%s", err.msg);
	return r == -EBUSY ? EXIT_RUNNING : EXIT_FAILED;
}
