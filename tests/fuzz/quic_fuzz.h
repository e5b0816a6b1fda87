/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * quic_fuzz: what the fuzz targets of the quic room share: input, a world that does the same each
 * time, and what owners do.
 */
#include "quic_world.h"

struct fuzz_input {
	const uint8_t *bytes;
	size_t n;
};

/* 0 at the end. */
uint8_t fuzz_byte(struct fuzz_input *in);
/* Both sides answer requests and datagrams as
 * the generator says. */
struct world *fuzz_world(void);
/* The owner of a side does something. */
void fuzz_act(struct world_side *s, struct fuzz_input *in);
