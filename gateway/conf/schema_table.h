/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * schema_table: short words for the rows of schema*.c: where in a struct a field's parts lie.
 */
#include <stddef.h>

#define AT(type, member) .offset = offsetof(type, member)
#define COUNT(type, member) .count = offsetof(type, member)
#define MARK(type, member) .mark = offsetof(type, member)
#define GIVEN(type, member) .given = offsetof(type, member)
