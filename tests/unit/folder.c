/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int folder_setup(void **state)
{
	static struct folder f;

	snprintf(f.dir, sizeof(f.dir), "/tmp/meshgw-test-XXXXXX");
	if (!mkdtemp(f.dir))
		return -1;
	snprintf(f.path, sizeof(f.path), "%s/file", f.dir);
	*state = &f;
	return 0;
}

int folder_teardown(void **state)
{
	const struct folder *f = *state;

	(void)unlink(f->path);
	return rmdir(f->dir);
}
