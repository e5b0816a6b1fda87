/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * proxy: all worker threads, seen from the program's main thread.
 *
 * Everything is passed on as a message; nothing waits, but for proxy_free().
 */
#include "lib/err.h"
#include "route/config.h"
#include <systemd/sd-json.h>

struct proxy;

/* Can each upstream have the TLS that it is configured with? Otherwise the sentence says which one
 * can't, and why: requests to it would fail, and nothing else. */
[[nodiscard]] int proxy_check(const struct bridge_config *config, struct err *err);
/* Starts as many threads as config says: a later configuration does not change that. Takes the
 * reference. asks: there is somebody who answers questions. */
[[nodiscard]] struct proxy *proxy_new(const struct bridge_config *take_config, bool asks);
/* From now on. Takes the reference. */
void proxy_configure(struct proxy *p, const struct bridge_config *take_config);
/* Listens on these and no others. The descriptors stay the caller's. */
void proxy_listen(struct proxy *p, const int *fds, unsigned n);
/* Serves its own pages there, and at no other place from now on; -1 = nowhere. */
void proxy_listen_admin(struct proxy *p, int fd);
/* For the pages: is meshgwd there, was a configuration refused? */
void proxy_note_attached(struct proxy *p, bool attached);
void proxy_note_refused(struct proxy *p);
/* Takes no more connections and ends the others with their requests; *ended is written to when all
 * have gone, or after the configuration's time. */
void proxy_drain(struct proxy *p, int ended_eventfd);
/* Questions: which cause does it have that a target does not answer? And: how is meshgwd
 * (GetStatus)? Readable when there are any. */
struct proxy_question;
int proxy_questions_fd(const struct proxy *p);
struct proxy_question *proxy_take_question(struct proxy *p); /* nullptr = no more */
enum proxy_question_kind {
	PROXY_QUESTION_STATUS,
	PROXY_QUESTION_PASSIVE, /* of a target */
	PROXY_QUESTION_ACTIVE,  /* the same, and probes may be sent */
	PROXY_QUESTION_OWN,     /* of an upstream by its name: why did our connection fail? */
	PROXY_QUESTIONS,
};
/* *target is "" of the status. */
enum proxy_question_kind proxy_question_read(const struct proxy_question *q, const char **target);
/* Consumes the question; a verdict as DiagnoseTarget gives it, or the status; nullptr = none. */
void proxy_answer(struct proxy_question *take_q, sd_json_variant *answer);

/* Ends at once what is left, and waits for the threads. */
void proxy_free(struct proxy *p);
