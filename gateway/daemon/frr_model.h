/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_model: a configuration as the model that frr/ works on. Pure.
 *
 * Every range and site gets a static route by the mesh interface, always; which of them are
 * announced is the caller's to say. A neighbour whose password cannot be read keeps the one that
 * runs, and is not made anew.
 */
#include "conf/config.h"
#include "frr/running.h"

constexpr size_t FRR_PASSWORD_MAX = 80; /* TCP_MD5SIG_MAXKEYLEN, linux/tcp.h */

/* In the order of config->bgp.neighbors. */
struct frr_secret {
	char text[FRR_PASSWORD_MAX + 1]; /* "" = none */
	char problem[200];               /* why there is none, "" = nothing is wrong */
};

struct frr_secrets {
	struct frr_secret *list;
	size_t n;
};

/* A model and what it points to. */
struct frr_built {
	struct frr_model model;
	struct frr_static *statics;
	struct frr_neighbor *neighbors;
	struct frr_accept *accepts; /* of all neighbours */
};

/* Borrows all. announce: a flag for each of config->ranges, nullptr = all of them. running may be
 * nullptr: then no neighbour waits for its password. */
void frr_model_build(const struct config *config, const bool *announce,
	const struct frr_secrets *secrets, const struct frr_running *running,
	struct frr_built *out);
void frr_built_clear(struct frr_built *built);
