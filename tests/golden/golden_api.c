/* SPDX-License-Identifier: Apache-2.0 */
/*
 * golden_api: the varlink interface in its printed form, as `varlinkctl introspect` shows it. It
 * may grow by nullable fields and methods; a line of the file that changes breaks somebody. With
 * --update it is written.
 */
#include "conf/config.h"
#include "lib/api.h"
#include "lib/own.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	bool updating = argc == 3 && strcmp(argv[1], "--update") == 0;
	char path[PATH_MAX];
	autofree char *text = nullptr, *want = nullptr;
	size_t len;
	struct err err = {};

	if (argc != 2 && !updating)
		return 2;
	if (sd_varlink_idl_format(&api_interface, &text) < 0)
		return 1;
	snprintf(path, sizeof(path), "%s/%s.varlink", argv[argc - 1], API_INTERFACE);
	if (updating) {
		autofclose FILE *out = fopen(path, "we");
		return !out || fputs(text, out) == EOF;
	}
	if (config_read_file(path, &want, &len, &err) < 0)
		fprintf(stderr, "%s\n", err.msg);
	else if (strcmp(text, want) == 0)
		return 0;
	fprintf(stderr, "expected\n%sgot\n%s", want ? want : "", text);
	return 1;
}
