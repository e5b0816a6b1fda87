/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_presence.h"
#include "daemon/clock.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

struct frr_presence {
	int fd;
	int folder; /* watch of the folder itself, -1 while there is none */
	sd_event_source *source;
	char *dir, *parent;
	void (*changed)(void *arg);
	void *arg;
};

static const struct {
	const char *name;
	enum frr_socket bit;
} sockets[] = {
	{"zebra.vty", FRR_SOCKET_ZEBRA},
	{"mgmtd.vty", FRR_SOCKET_MGMTD},
	{"staticd.vty", FRR_SOCKET_STATICD},
	{"bgpd.vty", FRR_SOCKET_BGPD},
	{"bfdd.vty", FRR_SOCKET_BFDD},
};

/* By the clock that files are dated with; one that was set back makes everything new. */
static uint64_t age_of(const struct stat *st)
{
	uint64_t born = (uint64_t)st->st_ctim.tv_sec * 1'000'000 +
			(uint64_t)st->st_ctim.tv_nsec / 1000;
	uint64_t now = clock_realtime_us();
	return now > born ? now - born : 0;
}

struct frr_there frr_presence_look(const char *program, const char *dir)
{
	struct frr_there there = {.installed = access(program, X_OK) == 0, .age_us = UINT64_MAX};
	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		char path[PATH_MAX];
		struct stat st;
		snprintf(path, sizeof(path), "%s/%s", dir, sockets[i].name);
		if (stat(path, &st) < 0)
			continue;
		there.sockets |= sockets[i].bit;
		uint64_t age = age_of(&st);
		if (age < there.age_us)
			there.age_us = age;
	}
	return there;
}

/* The folder has a watch of its own while it exists; its parent tells when it comes. */
static void watch_folder(struct frr_presence *p)
{
	if (p->folder < 0)
		p->folder = inotify_add_watch(p->fd, p->dir,
			IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_ONLYDIR);
}

static bool is_ours(const struct frr_presence *p, const struct inotify_event *e)
{
	const char *dot = e->len ? strrchr(e->name, '.') : nullptr;
	if (e->mask & IN_Q_OVERFLOW)
		return true;
	if (e->wd == p->folder)
		return dot && !strcmp(dot, ".vty");
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
	*p = (struct frr_presence){.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK),
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
	*out = p;
	return 0;
}

void frr_presence_free(struct frr_presence *p)
{
	if (!p)
		return;
	sd_event_source_disable_unref(p->source);
	if (p->fd >= 0)
		close(p->fd);
	free(p->dir);
	free(p->parent);
	free(p);
}
