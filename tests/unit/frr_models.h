/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frr_models: models that the tests of frr/ share, by name. The mesh interface is mesh0, the LAN
 * lan0 with 10.0.1.2 and 2001:db8:1::2; AS 65010 here and 65001 there.
 */
#include "frr/model.h"

struct frr_named_model {
	const char *name;
	struct frr_model model;
};

constexpr size_t FRR_MODELS = 9;
/* Built on the first call, valid for the life of the program. */
const struct frr_named_model *frr_models(void);
/* nullptr for "none"; aborts when there is no such model. */
const struct frr_model *frr_model(const char *name);
