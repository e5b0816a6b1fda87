/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_api: the varlink interfaces in their printed form, as `varlinkctl introspect` shows them.
 * They may grow by nullable fields and methods; a line of a file that changes breaks somebody.
 */
#include "golden.h"
#include "lib/api.h"
#include "lib/api_probe.h"
#include "lib/api_trace.h"
#include "lib/own.h"
#include <stdio.h>

int main(int argc, char **argv)
{
	static const sd_varlink_interface *const all[] = {
		&api_interface, &api_probe_interface, &api_trace_interface};
	struct golden g;

	if (!golden_begin(&g, argc, argv))
		return GOLDEN_USAGE;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		autofree char *text = nullptr;
		if (sd_varlink_idl_format(all[i], &text) < 0)
			fprintf(stderr, "%s cannot be printed\n", all[i]->name);
		golden_check(&g, all[i]->name, ".varlink", text);
	}
	return golden_end(&g);
}
