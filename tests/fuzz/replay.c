/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay: runs a fuzz target over the files of its corpus, for builds without libFuzzer.
 */
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 1 if the file was run, 0 if it is none, -1 if it could not be read. */
static int replay_file(const char *dir, const char *name)
{
	char path[4096];
	struct stat st;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
		return -1;
	if (stat(path, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode))
		return 0;

	size_t size = (size_t)st.st_size;
	autofree uint8_t *data = xcalloc(size, 1);
	FILE *file = fopen(path, "re");
	size_t n = file ? fread(data, 1, size, file) : 0;
	if (!file || fclose(file) != 0 || n != size)
		return -1;
	LLVMFuzzerTestOneInput(data, size);
	return 1;
}

static int replay_dir(const char *path)
{
	DIR *dir = opendir(path);
	int runs = 0;

	if (!dir) {
		perror(path);
		return 1;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		int ran = replay_file(path, entry->d_name);
		if (ran < 0)
			fprintf(stderr, "%s/%s: cannot read\n", path, entry->d_name);
		if (ran < 0 || runs < 0)
			runs = -1;
		else
			runs += ran;
	}
	closedir(dir);
	printf("%s: %d inputs\n", path, runs);
	return runs > 0 ? 0 : 1; /* an empty corpus proves nothing */
}

int main(int argc, char **argv)
{
	int failed = argc < 2;

	for (int i = 1; i < argc; i++)
		failed |= replay_dir(argv[i]);
	return failed;
}
