/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * reply_verdict: what Diagnose and Recall answer, as typed values.
 *
 * The verdict is read as reply.h reads everything: its promised fields are checked, its strings are
 * borrowed and foreign. Of the record beside it is shown only why something was not looked at; one
 * that is not understood, of a newer daemon, is as if it were not there.
 */
#include "cli/exit.h"
#include "cli/reply.h"
#include "verdict/evidence.h"

struct reply_evidence {
	const char *says;
	const char *command; /* may be nullptr */
};

struct reply_remedy {
	bool set;
	const char *text;
	sd_json_variant *commands; /* array of strings, checked; borrowed */
	bool applicable;
};

struct reply_verdict {
	const char *code, *class, *confidence, *point, *title, *summary;
	/* The flow: "tcp 10.0.1.50:3000"; what is not known is "". */
	const char *flow, *client, *from, *mesh, *lan;
	/* Arrays of strings and an object of them, checked; borrowed, may be nullptr. */
	sd_json_variant *candidates, *consequences, *wanted, *attributes;
	struct list evidence;     /* struct reply_evidence */
	const char *next;         /* the further fault's code; nullptr = there is none */
	const char *next_summary; /* may be nullptr */
	bool both_covered;        /* the remedy repairs that as well */
	struct reply_remedy remedy;
	bool recorded;
	struct evidence record;
	const char *target;   /* as it was asked for; borrowed, may be nullptr */
	sd_json_variant *raw; /* the verdict alone */
};

/* {"verdict", "record"}. 0, or -EINVAL and *out empty. */
[[nodiscard]] int verdict_read(sd_json_variant *reply, struct reply_verdict *out);
void verdict_clear(struct reply_verdict *v);

/* The string at a place of one of the arrays; nullptr behind the last one. */
const char *strings_at(sd_json_variant *array, size_t i);
/* Where the cause lies. */
enum exit_status verdict_status(const struct reply_verdict *v);
