/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/attached.h"
#include "daemon/clock.h"
#include "daemon/server.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <linux/sockios.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

constexpr uint64_t FOR_EVER_US = 365ULL * 24 * 3600 * 1'000'000;

struct attached_user attached_user_find(const char *token, const char *name)
{
	const struct passwd *pw = getpwnam(name);

	if (!pw) {
		log_info(token, "there is no user %s", name);
		return (struct attached_user){};
	}
	return (struct attached_user){true, pw->pw_uid, pw->pw_gid};
}

bool attached_user_admits(const struct attached_user *user, uid_t uid)
{
	return uid == 0 || uid == geteuid() || (user->known && uid == user->uid);
}

struct attached_one {
	struct attached *all;
	sd_varlink *link;
	void *client;
	bool behind; /* it has not read the last message, and needs another */
};

static void tell(struct attached_one *one)
{
	const struct attached *a = one->all;
	int unread = 0, fd = sd_varlink_get_fd(one->link);

	one->behind = fd >= 0 && ioctl(fd, SIOCOUTQ, &unread) >= 0 && unread > 0;
	if (one->behind)
		return;
	autojson sd_json_variant *v = a->message(a->arg, one->link);
	int r = sd_varlink_notify(one->link, v);
	if (r < 0)
		log_warn(a->token, "what changed cannot be told: %s", strerror(-r));
}

static void forget(void *arg)
{
	struct attached_one *one = arg;
	struct attached *a = one->all;

	for (size_t i = 0; i < a->n; i++)
		if (a->list[i] == one)
			a->list[i] = a->list[--a->n];
	if (a->n == 0) {
		a->alone_us = clock_monotonic_us();
		log_info(a->token, "detached");
		if (a->gone)
			a->gone(a->arg);
	}
	sd_varlink_unref(one->link);
	free(one);
}

int attached_add(struct attached *a, sd_varlink *link, void *client)
{
	if (a->n == ATTACHED_MAX)
		return -EBUSY;
	struct attached_one *one = xcalloc(1, sizeof(*one));
	*one = (struct attached_one){a, sd_varlink_ref(link), client, true};
	a->list[a->n++] = one;
	if (a->n == 1)
		log_info(a->token, "attached");
	server_takes(client, FOR_EVER_US);
	server_on_gone(client, forget, one);
	return 0;
}

void attached_tell(struct attached *a, bool changed)
{
	for (size_t i = 0; i < a->n; i++)
		if (changed || a->list[i]->behind)
			tell(a->list[i]);
}

void attached_clear(struct attached *a)
{
	for (size_t i = 0; i < a->n; i++) {
		server_on_gone(a->list[i]->client, nullptr, nullptr);
		sd_varlink_unref(a->list[i]->link);
		free(a->list[i]);
	}
	a->n = 0;
}
