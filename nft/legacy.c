/* SPDX-License-Identifier: Apache-2.0 */
#include "nft/legacy.h"
#include "lib/own.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct kind {
	uint8_t family;
	const char *names;   /* file */
	const char *core;    /* module */
	const char *modules; /* begin so, one for each table */
} kinds[] = {
	{AF_INET, "net/ip_tables_names", "ip_tables", "iptable_"},
	{AF_INET6, "net/ip6_tables_names", "ip6_tables", "ip6table_"},
};

static int kept[2] = {-1, -1}; /* the lists, in the order of kinds */

void nft_legacy_keep(uint8_t family, int fd)
{
	int *slot = &kept[family == AF_INET6];

	own_close(slot);
	*slot = fd;
}

void nft_legacy_open(void)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%s", kinds[i].names);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			nft_legacy_keep(kinds[i].family, fd);
	}
}

/* From its beginning: such a file says each time what there is now. */
static FILE *open_kept(const struct kind *k)
{
	int fd = kept[k - kinds];

	fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0 && lseek(fd, 0, SEEK_SET) == 0)
		return fdopen(fd, "r");
	own_close(&fd);
	return nullptr;
}

static void add_name(char names[static NFT_LEGACY_LEN], const char *name)
{
	size_t at = strlen(names);

	snprintf(names + at, NFT_LEGACY_LEN - at, "%s%s", at ? " " : "", name);
}

static FILE *open_proc(const char *proc, const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", proc, file);
	return fopen(path, "re");
}

/* Is there a list of names? ip_tables makes the file, whether or not anybody may read it. */
static enum nft_legacy read_names(FILE *in, char names[static NFT_LEGACY_LEN])
{
	char name[33]; /* XT_TABLE_MAXNAMELEN */

	while (fscanf(in, "%32s", name) == 1)
		add_name(names, name);
	return names[0] ? NFT_LEGACY_PRESENT : NFT_LEGACY_NONE;
}

/* A core that is no module may have its tables built in. */
static enum nft_legacy read_modules(
	const char *proc, const struct kind *k, char names[static NFT_LEGACY_LEN])
{
	autofclose FILE *in = open_proc(proc, "modules");
	char name[65];
	bool core = false;

	while (in && fscanf(in, "%64s%*[^\n]", name) == 1) {
		core |= !strcmp(name, k->core);
		if (!strncmp(name, k->modules, strlen(k->modules)))
			add_name(names, name + strlen(k->modules));
	}
	return names[0] || !core ? NFT_LEGACY_UNKNOWN : NFT_LEGACY_NONE;
}

enum nft_legacy nft_legacy_read(const char *proc, uint8_t family, char names[static NFT_LEGACY_LEN])
{
	const struct kind *k = &kinds[family == AF_INET6];
	autofclose FILE *in = open_proc(proc, k->names);

	int error = in ? 0 : errno;

	names[0] = '\0';
	if (error && error != ENOENT)
		in = open_kept(k);
	if (in)
		return read_names(in, names);
	return error == ENOENT ? NFT_LEGACY_NONE : read_modules(proc, k, names);
}
