/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_bundle: bytes as a bundle that somebody sent: archive, compression, JSON, record. What is
 * read can be decided about.
 */
#include "cli/bundle.h"
#include "verdict/verdict.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct evidence evidence = {};
	struct verdict verdict;
	struct err err = {};

	if (bundle_parse(data, size, &evidence, &err) < 0) {
		assert(err.msg[0]);
		return 0;
	}
	verdict_decide(&evidence, &verdict);
	assert(verdict.code < CODES);
	evidence_clear(&evidence);
	return 0;
}
