/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_api: the varlink interfaces in their printed form, as `varlinkctl introspect` shows them.
 * They may grow by nullable fields and methods; a line of a file that changes breaks somebody. With
 * --update they are written.
 */
#include "conf/config.h"
#include "lib/api.h"
#include "lib/api_probe.h"
#include "lib/api_trace.h"
#include "lib/own.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* False: it is not as the file says. */
static bool check(const sd_varlink_interface *interface, const char *dir, bool updating)
{
	char path[PATH_MAX];
	autofree char *text = nullptr, *want = nullptr;
	size_t len;
	struct err err = {};

	if (sd_varlink_idl_format(interface, &text) < 0)
		return false;
	snprintf(path, sizeof(path), "%s/%s.varlink", dir, interface->name);
	if (updating) {
		autofclose FILE *out = fopen(path, "we");
		return out && fputs(text, out) != EOF;
	}
	if (config_read_file(path, &want, &len, &err) < 0)
		fprintf(stderr, "%s\n", err.msg);
	else if (strcmp(text, want) == 0)
		return true;
	fprintf(stderr, "expected\n%sgot\n%s", want ? want : "", text);
	return false;
}

int main(int argc, char **argv)
{
	static const sd_varlink_interface *const all[] = {
		&api_interface, &api_probe_interface, &api_trace_interface};
	bool updating = argc == 3 && strcmp(argv[1], "--update") == 0, good = true;

	if (argc != 2 && !updating)
		return 2;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		good = check(all[i], argv[argc - 1], updating) && good;
	return !good;
}
