/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * attached: the processes that have attached, of one kind, and what they are told: what there is at
 * once, and again each time it changes, until they go.
 *
 * Whoever does not read gets no second message into its queue, only the newest one later.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-varlink.h>

constexpr size_t ATTACHED_MAX = 4; /* one, and others that come or go */

/* Whose processes may attach; our own user's and root's may as well. */
struct attached_user {
	bool known;
	uid_t uid;
	gid_t gid;
};
struct attached_user attached_user_find(const char *token, const char *name);
bool attached_user_admits(const struct attached_user *user, uid_t uid);

struct attached_one;

struct attached {
	const char *token; /* for the log: "bridge" */
	/* A new reference: what there is now. Descriptors may be pushed to the link. */
	sd_json_variant *(*message)(const void *arg, sd_varlink *link);
	void (*gone)(void *arg); /* the last one; nullptr = nobody cares */
	void *arg;
	struct attached_one *list[ATTACHED_MAX];
	size_t n;
	uint64_t alone_us; /* CLOCK_MONOTONIC: since when there is none */
};

/* From its call on; it is told nothing yet. client: as server_on_gone(). -EBUSY: too many. */
[[nodiscard]] int attached_add(struct attached *a, sd_varlink *link, void *client);
/* All of them if something changed, else those that have not yet heard of the last change. */
void attached_tell(struct attached *a, bool changed);
/* Lets go of all. */
void attached_clear(struct attached *a);
