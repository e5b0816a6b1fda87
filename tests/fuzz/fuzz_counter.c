/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_counter: bytes as a file of /proc/net, to each of the parsers of net/counter.h.
 */
#include "lib/own.h"
#include "lib/xmalloc.h"
#include "net/counter.h"
#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = xcalloc(1, size + 1);
	if (size)
		memcpy(text, data, size);
	struct counter_set set = {};
	counter_parse_columns(text, &set);
	counter_parse_lines(text, &set);
	counter_parse_cpus(text, "prefix", &set);
	counter_sort(&set);
	for (size_t i = 0; i < set.n; i++) {
		const char *name = set.list[i].name;
		assert(name[0] && memchr(name, '\0', COUNTER_NAME_LEN));
		assert(counter_find(&set, name));
		assert(counter_growth(&set, &set, name) <= set.list[i].value);
	}
	counter_set_clear(&set);
	return 0;
}
