/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * prove_scene: one network with up to four witnesses 10.0.2.1 … 10.0.2.4, port 80, and a clock. A
 * test says what each of them answers, round by round, and looks at what is proven by it.
 */
#include "proof/prove.h"

constexpr uint64_t MS = 1'000;
constexpr uint64_t SECOND = 1'000'000;

struct scene {
	struct config_witness witnesses[4];
	struct config_host hosts[2];
	struct config_network networks[2];
	struct config_lan lan;
	struct config config;
	struct prove prove;
	struct prove_network *n;
	uint64_t now;
	unsigned change;
};

void scene_init(struct scene *s, size_t n_witnesses);
/* After a change of its configuration. */
void scene_configure(struct scene *s);
/* The next round when it is due. answers: two letters a witness, in their order: to the own address
 * and to the range. */
void scene_round(struct scene *s, const char *answers);
/* Rounds of these answers, until they have proven the way back. */
void scene_prove(struct scene *s, const char *answers);
bool scene_excepted(const struct scene *s, size_t i);

struct addr scene_address(const char *text);
struct prefix scene_network(const char *text);
