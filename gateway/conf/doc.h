/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * doc: text to a YAML document of which the rest of the parser needs to fear nothing.
 *
 * What passes is UTF-8 without control characters, one document, at most DOC_MAX_DEPTH deep, and
 * without anchors, aliases and tags. libyaml's document API shows none of these (an alias is just
 * the same node twice), so the events are looked at first. It knows nothing of our keys.
 */
#include <yaml.h>

struct diag_list;

constexpr unsigned DOC_MAX_DEPTH = 16;

/* 0 and *doc (owned by the caller, yaml_document_delete), or -EINVAL with mistakes added. */
[[nodiscard]] int doc_load(
	yaml_document_t *doc, const char *text, size_t len, struct diag_list *diags);
