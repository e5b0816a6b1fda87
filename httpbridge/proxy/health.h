/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * health: asks an upstream every so often whether it serves.
 *
 * A GET on a connection of its own, each time; 2xx and 3xx are a yes, anything else and silence are
 * a no. An upstream counts as up until so many noes came in a row, and then as down until so many
 * yeses did. Each thread asks for itself.
 */

struct health;
struct upstream;

/* nullptr when the configuration asks for no checks: then it is up. Belongs to the upstream, and
 * goes before it. */
[[nodiscard]] struct health *health_new(struct upstream *u);
void health_free(struct health *h); /* nullptr is allowed */
