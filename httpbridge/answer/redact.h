/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * redact: of a verdict, what may be told. Private to this room.
 *
 * What is not named here is not told, whatever a newer meshgwd adds to its verdicts. All texts come
 * out as printable ASCII.
 */
#include "answer/cause.h"
#include "route/config.h"

/* Its code; nullptr when there is no verdict, or what it has is no code. Borrowed from it. */
const char *redact_code(sd_json_variant *verdict);
/* Its number, likewise. */
const char *redact_id(sd_json_variant *verdict);
/* The cause to be named for a failure: nullptr when the verdict says nothing against the flow.
 * Unknown codes have a cause that decides nothing. */
const struct cause *redact_cause(sd_json_variant *verdict);

/* Sets members of *out: confidence, candidates, next; evidence; fix. */
[[nodiscard]] int redact_verdict(
	sd_json_variant *verdict, enum bridge_reveal reveal, sd_json_variant **out);
/* Sets a member to a text of the verdict, if it has it. */
[[nodiscard]] int redact_text(
	sd_json_variant *verdict, const char *from, sd_json_variant **out, const char *key);
