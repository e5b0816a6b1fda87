/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rule: which texts a configuration may hold. Private to this room.
 *
 * Each rule names the characters that are allowed, none those that are not: what passes can be
 * written into a head, a path of the file system or a log line as it is.
 */
#include <stddef.h>

bool rule_node(const char *text);
bool rule_admin(const char *text);        /* "", ADDRESS:PORT or unix:/path */
bool rule_host_pattern(const char *text); /* "name", "*.suffix", "*", "[2001:db8::1]" */
bool rule_host(const char *text);         /* a name or an address, without brackets */
bool rule_host_header(const char *text);  /* preserve, upstream or HOST[:PORT] */
bool rule_target(const char *text);       /* HOST:PORT */
bool rule_path(const char *text);         /* "/api": unreserved and sub-delims, no empty or dot
					     segments, nothing escaped */
bool rule_health_path(const char *text);  /* "" or what may stand in a request line */
bool rule_unix_path(const char *text);    /* "" or an absolute path */
bool rule_scheme(const char *text);
bool rule_reveal(const char *text);
bool rule_server_name(const char *text); /* "", a name or an address */
bool rule_token(const char *text);       /* token68 of RFC 9110, 11.2 */
bool rule_pem(const char *text);         /* "" or PEM */
bool rule_field_name(const char *text);  /* a token that an edit may name: not of framing, of the
					    connection, Host or Via */
bool rule_field_value(const char *text);
bool rule_address(const char *text); /* one that somebody can be asked at */
