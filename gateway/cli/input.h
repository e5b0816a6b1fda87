/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * input: the configuration that a command was given: FILE, "-" for standard input, or
 * /etc/meshgw/meshgw.yaml.
 *
 * Reading is bounded by CONFIG_MAX_BYTES, and the text has passed the same parser that the
 * daemon uses. So mistakes are found before anything is asked of a daemon, and what is sent has
 * neither NUL bytes nor broken UTF-8, which JSON could not carry.
 */
#include "cli/failure.h"
#include "conf/config.h"

struct input {
	char *text; /* NUL-terminated */
	size_t len;
	char name[256]; /* for people, escaped */
	struct config *config;
};

/* The text alone, of any kind; *in must be cleared in either case. otherwise: what to do when there
 * is no such file; nullptr: nothing is said. */
enum exit_status input_load(
	const char *path, const char *otherwise, struct input *in, struct failure *f);
/* EXIT_DONE, or the failure's status; a configuration with mistakes fails as the daemon's
 * ConfigInvalid does, with the same parameters. *in must be cleared in either case. */
enum exit_status input_read(const char *argument, struct input *in, struct failure *f);
void input_clear(struct input *in);
