/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * folder: a directory of a test's own with place for one file, for cmocka. *state is the struct
 * folder; what the test leaves at `path` goes with it.
 */
struct folder {
	char dir[32], path[64];
};

int folder_setup(void **state);
int folder_teardown(void **state);
