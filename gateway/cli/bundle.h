/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * bundle: the evidence of a diagnosis out of a file: a tar as `meshgw bundle` writes it, its
 * record.json alone, or what `varlinkctl call … Diagnose` printed. Whoever sent it is not trusted.
 */
#include "verdict/evidence.h"

#define BUNDLE_RECORD "record.json"
constexpr size_t BUNDLE_MAX = 128 * 1024 * 1024;

/* *out must be cleared by the caller, on success. */
[[nodiscard]] int bundle_parse(const void *data, size_t len, struct evidence *out, struct err *err);
/* -EFBIG for more than BUNDLE_MAX bytes. */
[[nodiscard]] int bundle_read_file(const char *path, struct evidence *out, struct err *err);
