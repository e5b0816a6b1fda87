/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * quic_pair: how tests with two ends of ours begin: a world, and in it a client that is connected
 * and has its request answered.
 */
#include "quic_world.h"

/* Of cmocka: *state is a struct world that has not begun. */
int pair_setup(void **state);
int pair_teardown(void **state);

/* Begins it, until datagrams may flow; returns it. */
struct world *pair_open(struct world *w);
/* Ends the connection, if there is one, and dials again; what each side was told is forgotten. */
void pair_redial(struct world *w);

/* A condition, as those of quic_world. */
bool pair_client_closed(struct world *w);
