/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * answer: replies that wait for FRR.
 *
 * A method that changes something has changed the kernel when it returns; FRR takes its part a
 * moment later. So that who applies hears what FRR refused, the reply is held back until an attempt
 * has come to its end, at most ANSWER_WAIT_US. Then it says how far things are. A plan waits for
 * its own reading of FRR. Clients that are gone meanwhile are answered into the void.
 */
#include "daemon/server.h"

/* Below the client's own patience of 10 s. */
constexpr uint64_t ANSWER_WAIT_US = 8'000'000;

enum answer_kind { ANSWER_APPLY, ANSWER_UNDO, ANSWER_DOWN };

struct answers;

struct answers *answers_new(struct server_context *context);
void answers_free(struct answers *a);

/* Replies now or later. Takes over what *ops holds. */
int answers_add(struct answers *a, sd_varlink *link, enum answer_kind kind, struct ops *ops);
/* Looks which replies are due. */
void answers_step(struct answers *a);

/* The reply to Plan, with what FRR would be told. Takes over the configuration (nullptr: what
 * taking down would do) and what *ops holds. */
int answers_plan(struct answers *a, sd_varlink *link, struct config *config, struct ops *ops);
