/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * asked_about: what a query for a diagnosis asks about.
 */
#include <stddef.h>

constexpr size_t ASKED_ABOUT_MAX = 264;

/* The target of a query like "?target=10.0.1.50%3A3000": HOST:PORT in the form of
 * bridge_upstream.target, with what else there is in the query ignored. 0; -EINVAL when there is
 * none, several, or no HOST:PORT. */
[[nodiscard]] int asked_about(const char *query, size_t len, char out[static ASKED_ABOUT_MAX]);
