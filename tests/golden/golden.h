/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * golden: what every golden program does alike.
 *
 * It is called with a folder, makes texts from what lies there (or from models of its own) and
 * compares each with the file that holds what it shall be; with --update in front of the folder
 * the file is written instead. A program is, at its simplest, a function that makes the text of
 * one file, and
 *
 *     int main(int argc, char **argv)
 *     {
 *             return golden_main(argc, argv, ".yaml", ".conf", make_text);
 *     }
 *
 * Who makes a text says on stderr why it cannot be made, and hands over nullptr. Nothing stops at
 * the first difference.
 */
#include <limits.h>
#include <stddef.h>

constexpr int GOLDEN_USAGE = 2;
constexpr int GOLDEN_SKIP = 77; /* told to CTest, too */

struct golden {
	const char *folder;
	bool updating;
	int cases, failed;
};

/* False: the command line is wrong, which it has said. */
[[nodiscard]] bool golden_begin(struct golden *g, int argc, char **argv);
/* The exit status: no case at all is a failure. */
[[nodiscard]] int golden_end(const struct golden *g);

/* stem: the file's path below the folder without what follows its last dot. */
typedef void golden_run_fn(struct golden *g, const char *stem, const void *arg);
/* Each file of the folder that the pattern (glob(7)) names, in the order of names; none at all
 * counts as a failure. */
void golden_each(struct golden *g, const char *pattern, golden_run_fn *run, const void *arg);

/* The path of FOLDER/STEM.SUFFIX, in `path`; suffix with its dot. */
const char *golden_path(
	const struct golden *g, const char *stem, const char *suffix, char path[static PATH_MAX]);
/* A file's bytes and a NUL behind them, the caller's; len may be nullptr. nullptr if it cannot be
 * read. */
char *golden_read(const char *path, size_t *len);

/* The text of one case: compared with FOLDER/STEM.SUFFIX, or written there. */
void golden_check(struct golden *g, const char *stem, const char *suffix, const char *text);

/* The whole program: each STEM.FROM becomes a text, which is compared with STEM.TO. */
int golden_main(int argc, char **argv, const char *from, const char *to,
	char *(*make_text)(const char *path));
