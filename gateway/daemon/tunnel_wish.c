/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tunnel_wish.h"
#include "daemon/clock.h"
#include "daemon/json_make.h"
#include "daemon/server.h"
#include "lib/api.h"
#include "lib/log.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int tunnel_wish_refuse(sd_varlink *link, const char *reason, const char *fmt, ...)
{
	char message[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	return sd_varlink_errorbo(link, API_ERROR_NOT_PROMOTED,
		SD_JSON_BUILD_PAIR_STRING("reason", reason),
		SD_JSON_BUILD_PAIR_STRING("message", message));
}

void tunnel_wish_clear(struct tunnel_wish *p)
{
	if (p->link)
		server_on_gone(p->client, nullptr, nullptr);
	sd_event_source_disable_unref(p->deadline);
	sd_varlink_unref(p->link);
	free(p->node);
	free(p->replica);
	free(p->before);
	*p = (struct tunnel_wish){.id = p->id};
}

static int on_deadline(sd_event_source *, uint64_t, void *userdata)
{
	struct tunnel_wish *p = userdata;

	(void)tunnel_wish_refuse(p->link, "no-answer",
		"meshgw-tunnel has not answered in time, and may still do it");
	tunnel_wish_clear(p);
	return 0;
}

/* The caller has gone; the tunnel may have heard of it. */
static void on_gone(void *arg)
{
	struct tunnel_wish *p = arg;

	p->client = nullptr;
	sd_varlink_unref(p->link);
	p->link = nullptr;
	tunnel_wish_clear(p);
}

int tunnel_wish_begin(struct tunnel_wish *p, sd_varlink *link, void *client,
	const struct tunnel_wish_words *words)
{
	uint64_t now_us = clock_boottime_us();

	if (p->link)
		return -EBUSY;
	*p = (struct tunnel_wish){.link = sd_varlink_ref(link),
		.client = client,
		.id = now_us > p->id ? now_us : p->id + 1,
		.node = xstrdup(words->node),
		.replica = xstrdup(words->replica),
		.before = xstrdup(words->before)};
	if (sd_event_add_time_relative(sd_varlink_get_event(link), &p->deadline, CLOCK_MONOTONIC,
		    TUNNEL_WISH_US, 1000, on_deadline, p) < 0)
		out_of_memory();
	server_takes(client, TUNNEL_WISH_US);
	server_on_gone(client, on_gone, p);
	return 0;
}

sd_json_variant *tunnel_wish_json(const struct tunnel_wish *p)
{
	sd_json_variant *v = nullptr;

	if (p->link)
		JSON_OBJECT(v, SD_JSON_BUILD_PAIR_UNSIGNED("id", p->id),
			SD_JSON_BUILD_PAIR_STRING("node", p->node),
			SD_JSON_BUILD_PAIR_STRING("replica", p->replica));
	return v;
}

static int reply_done(const struct tunnel_wish *p)
{
	log_info("tunnel", "promoted node=%s replica=%s before=%s", p->node, p->replica,
		*p->before ? p->before : "(none)");
	return sd_varlink_replybo(p->link, SD_JSON_BUILD_PAIR_STRING("active", p->replica),
		SD_JSON_BUILD_PAIR_CONDITION(
			*p->before != '\0', "before", SD_JSON_BUILD_STRING(p->before)));
}

void tunnel_wish_end(struct tunnel_wish *p, uint64_t id, const char *result)
{
	if (!p->link || id != p->id)
		return;
	if (strcmp(result, "done") == 0)
		(void)reply_done(p);
	else if (strcmp(result, "active") == 0)
		(void)tunnel_wish_refuse(p->link, "active",
			"%s is the active replica of %s already", p->replica, p->node);
	else if (strcmp(result, "offline") == 0)
		(void)tunnel_wish_refuse(p->link, "offline", "replica %s of %s is not connected",
			p->replica, p->node);
	else
		(void)tunnel_wish_refuse(p->link, "unknown",
			"meshgw-tunnel does not know replica %s of %s", p->replica, p->node);
	tunnel_wish_clear(p);
}

void tunnel_wish_fail(struct tunnel_wish *p)
{
	if (!p->link)
		return;
	(void)tunnel_wish_refuse(p->link, "no-tunnel", "meshgw-tunnel is not attached");
	tunnel_wish_clear(p);
}
