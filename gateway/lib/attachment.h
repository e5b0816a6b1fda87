/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * attachment: a lasting question of a worker to meshgwd, which answers at once and again with each
 * change.
 *
 * When meshgwd goes away it is looked for again, after 100 ms at first and then up to every 5 s. An
 * answer that is not taken is asked for again, too: where two are read together, the descriptors of
 * the second one went with the first (unix(7): a read ends behind descriptors, not in front of
 * them).
 */
#include <stdint.h>
#include <systemd/sd-event.h>
#include <systemd/sd-json.h>
#include <systemd/sd-varlink.h>

struct attachment;

struct attachment_request {
	const char *socket, *method; /* borrowed */
	const char *area;            /* of the log; borrowed */
	/* An answer; false: it is to be asked for again. */
	bool (*heard)(void *arg, sd_varlink *link, sd_json_variant *parameters);
	/* It had answered. */
	void (*gone)(void *arg);
	/* Descriptors that go with the question, by sd_varlink_push_dup_fd(); -errno: it is asked
	 * later. nullptr = none go. */
	int (*asking)(void *arg, sd_varlink *link);
	void *arg;
};

[[nodiscard]] struct attachment *attachment_new(
	sd_event *event, const struct attachment_request *request);
void attachment_free(struct attachment *a); /* nullptr is allowed */

/* In heard(): a copy, which is the caller's, of the descriptor that an index in the answer names;
 * -EBADMSG. */
[[nodiscard]] int attachment_fd(sd_varlink *link, sd_json_variant *index);
