/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * by: which program made a table or a chain, told by the names that it gives to them. A name proves
 * nothing; what has no name of its own ("filter", "FORWARD") belongs to nobody here.
 */
#include <stdint.h>

/* "docker", "ufw" …; "" = not known. chain may be "". */
const char *nft_by(const char *table, const char *chain);
