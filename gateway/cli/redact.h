/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * redact: takes out of a text what must not leave the machine: passwords, keys, tokens.
 *
 * It knows the words that programs put in front of them (FRRouting, sysctl, WireGuard, URLs, HTTP,
 * PEM). What follows such a word goes, up to the line's end: better too much than too little, and
 * FRRouting's passwords may hold spaces. A name of a file is no secret.
 */
#include <stddef.h>
#include <systemd/sd-json.h>

#define REDACTED "<redacted>"

/* Bytes of any kind. *out belongs to the caller and has a NUL behind it; returns its length. */
size_t redact_text(const char *text, size_t len, char **out);
/* The same for every string, and for what belongs to a key that is such a word. Names stay. The
 * result belongs to the caller. */
sd_json_variant *redact_json(sd_json_variant *v);
