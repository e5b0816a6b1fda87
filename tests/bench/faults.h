/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * faults: the faults that heal.c knows, each with the announcement that ends it.
 *
 * Every function makes one fault and waits up to FAULTS_DEADLINE_NS for its end. It answers 0
 * and writes *took, or -ETIMEDOUT, or -errno when the fault could not be made or watched.
 */
#include "observer.h"

constexpr uint64_t FAULTS_DEADLINE_NS = 10'000'000'000;

struct faults;

/* Both count from just before the system call that makes the fault. The kernel announces a fault
 * somewhere in that call, seldom at its begin. */
struct faults_took {
	uint64_t fault_ns; /* until the call was done */
	uint64_t mended_ns;
};

struct faults_setup {
	const char *tun; /* nullptr: no tunnel device is made */
	struct prefix *addresses;
	size_t n_addresses;
	struct prefix *prefixes; /* whose routes are broken */
	size_t n_prefixes;
};

/* Borrows the setup; opens sockets and device, or ends the program. */
struct faults *faults_new(const struct faults_setup *setup);
void faults_free(struct faults *f);

[[nodiscard]] int faults_learn(struct faults *f, char **args, struct faults_took *took);
[[nodiscard]] int faults_route(struct faults *f, char **args, struct faults_took *took);
[[nodiscard]] int faults_tun(struct faults *f, char **args, struct faults_took *took);
[[nodiscard]] int faults_forwarding(struct faults *f, char **args, struct faults_took *took);
[[nodiscard]] int faults_flush(struct faults *f, char **args, struct faults_took *took);
[[nodiscard]] int faults_flush_owned(struct faults *f, char **args, struct faults_took *took);
