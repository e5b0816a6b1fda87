/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * config_part: what several sections of a configuration are made of.
 */
#include "lib/ip.h"
#include <stddef.h>
#include <stdint.h>

/* Where in the file a value stood; line and column count from 1, 0 = a default. */
struct config_mark {
	uint32_t line, column;
};

/* Somebody that packets come from: a class of mesh.ranges or a prefix. */
struct config_source {
	uint32_t class_bit;   /* 1 << enum range_class; 0 if it is a prefix */
	struct prefix prefix; /* AF_UNSPEC if it is a class */
	struct config_mark mark;
};

struct config_sources {
	struct config_source *list;
	size_t n;    /* 0: all ranges */
	bool single; /* written without brackets: paths have no index */
};

/* A text with its place: a path, the name of a header. */
struct config_text {
	char *text; /* nullptr: it could not be read */
	struct config_mark mark;
};
