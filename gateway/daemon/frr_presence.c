/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_presence.h"
#include "daemon/clock.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *name;
	enum frr_socket bit;
} daemons[] = {
	{"zebra", FRR_SOCKET_ZEBRA},
	{"mgmtd", FRR_SOCKET_MGMTD},
	{"staticd", FRR_SOCKET_STATICD},
	{"bgpd", FRR_SOCKET_BGPD},
	{"bfdd", FRR_SOCKET_BFDD},
};

constexpr size_t N_DAEMONS = sizeof(daemons) / sizeof(daemons[0]);

/* A process whose end is awaited. */
struct life {
	pid_t pid; /* 0 = none */
	int fd;
	sd_event_source *end;
	struct frr_presence *presence;
};

struct frr_presence {
	sd_event *event;
	struct life lives[N_DAEMONS];
	int fd;
	int folder; /* watch of the folder itself, -1 while there is none */
	sd_event_source *source;
	char *dir, *parent;
	void (*changed)(void *arg);
	void *arg;
};

/* By the clock that files are dated with; one that was set back makes everything new. */
static uint64_t age_of(const struct stat *st)
{
	uint64_t born = (uint64_t)st->st_ctim.tv_sec * 1'000'000 +
			(uint64_t)st->st_ctim.tv_nsec / 1000;
	uint64_t now = clock_realtime_us();
	return now > born ? now - born : 0;
}

/* As the daemon wrote it, 0 = nobody did. */
static pid_t pid_of(const char *dir, const char *name)
{
	char path[PATH_MAX], text[16] = "";
	snprintf(path, sizeof(path), "%s/%s.pid", dir, name);
	autofclose FILE *f = fopen(path, "re");
	if (!f || !fgets(text, sizeof(text), f))
		return 0;
	long pid = strtol(text, nullptr, 10);
	return pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

static bool is_dead(pid_t pid)
{
	return pid && kill(pid, 0) < 0 && errno == ESRCH;
}

struct frr_there frr_presence_look(const char *program, const char *dir)
{
	struct frr_there there = {.installed = access(program, X_OK) == 0, .age_us = UINT64_MAX};
	for (size_t i = 0; i < N_DAEMONS; i++) {
		char path[PATH_MAX];
		struct stat st;
		snprintf(path, sizeof(path), "%s/%s.vty", dir, daemons[i].name);
		if (stat(path, &st) < 0 || is_dead(pid_of(dir, daemons[i].name)))
			continue;
		there.sockets |= daemons[i].bit;
		if (access(path, W_OK) < 0 && errno == EACCES)
			there.closed |= daemons[i].bit;
		uint64_t age = age_of(&st);
		if (age < there.age_us)
			there.age_us = age;
	}
	return there;
}

static void life_forget(struct life *l)
{
	l->end = sd_event_source_disable_unref(l->end);
	if (l->pid && l->fd >= 0)
		close(l->fd);
	l->pid = 0;
}

static int on_end(sd_event_source *, int, uint32_t, void *userdata)
{
	struct life *l = userdata;
	struct frr_presence *p = l->presence;
	l->end = sd_event_source_disable_unref(l->end); /* it stays readable */
	p->changed(p->arg);
	return 0;
}

static void life_await(struct frr_presence *p, struct life *l, pid_t pid)
{
	if (l->pid == pid)
		return;
	life_forget(l);
	l->fd = pid ? pidfd_open(pid, 0) : -1;
	if (l->fd < 0)
		return;
	l->pid = pid;
	l->presence = p;
	(void)sd_event_add_io(p->event, &l->end, l->fd, EPOLLIN, on_end, l);
}

static void await_ends(struct frr_presence *p)
{
	for (size_t i = 0; i < N_DAEMONS; i++)
		life_await(p, &p->lives[i], pid_of(p->dir, daemons[i].name));
}

/* The folder has a watch of its own while it exists; its parent tells when it comes. */
static void watch_folder(struct frr_presence *p)
{
	if (p->folder < 0)
		p->folder = inotify_add_watch(p->fd, p->dir,
			IN_CREATE | IN_MODIFY | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM |
				IN_ONLYDIR);
}

static bool is_ours(const struct frr_presence *p, const struct inotify_event *e)
{
	const char *dot = e->len ? strrchr(e->name, '.') : nullptr;
	if (e->mask & IN_Q_OVERFLOW)
		return true;
	if (e->wd == p->folder)
		return dot && (!strcmp(dot, ".vty") || !strcmp(dot, ".pid"));
	return e->len && !strcmp(e->name, strrchr(p->dir, '/') + 1);
}

static bool take_events(struct frr_presence *p, const char *buf, size_t n)
{
	bool any = false;
	for (size_t at = 0; at < n;) {
		const struct inotify_event *e = (const void *)(buf + at);
		any |= is_ours(p, e);
		if (e->wd == p->folder && e->mask & IN_IGNORED)
			p->folder = -1;
		at += sizeof(*e) + e->len;
	}
	return any;
}

static int on_event(sd_event_source *, int, uint32_t, void *userdata)
{
	struct frr_presence *p = userdata;
	alignas(struct inotify_event) char buf[8192];
	bool any = false;
	for (ssize_t n; (n = read(p->fd, buf, sizeof(buf))) > 0;)
		any |= take_events(p, buf, (size_t)n);
	watch_folder(p);
	if (any)
		await_ends(p);
	if (any)
		p->changed(p->arg);
	return 0;
}

static char *parent_of(const char *dir)
{
	char *parent = xstrdup(dir);
	char *slash = strrchr(parent, '/');
	if (slash == parent)
		slash++;
	*slash = '\0';
	return parent;
}

int frr_presence_new(sd_event *event, const char *dir, void (*changed)(void *arg), void *arg,
	struct frr_presence **out, struct err *err)
{
	struct frr_presence *p = xcalloc(1, sizeof(*p));
	*p = (struct frr_presence){.event = event,
		.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK),
		.folder = -1,
		.dir = xstrdup(dir),
		.parent = parent_of(dir),
		.changed = changed,
		.arg = arg};
	int r = p->fd < 0 ? -errno : 0;
	if (r >= 0 && inotify_add_watch(p->fd, p->parent, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0)
		r = -errno;
	if (r >= 0)
		r = sd_event_add_io(event, &p->source, p->fd, EPOLLIN, on_event, p);
	if (r < 0) {
		err_set(err, -r, "cannot watch %s: %s", p->parent, strerror(-r));
		frr_presence_free(p);
		return r;
	}
	watch_folder(p);
	await_ends(p);
	*out = p;
	return 0;
}

void frr_presence_free(struct frr_presence *p)
{
	if (!p)
		return;
	sd_event_source_disable_unref(p->source);
	for (size_t i = 0; i < N_DAEMONS; i++)
		life_forget(&p->lives[i]);
	if (p->fd >= 0)
		close(p->fd);
	free(p->dir);
	free(p->parent);
	free(p);
}
