/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * log: one line a fact, to stderr.
 *
 * The token names the module and can be filtered. When stderr is the journal's own socket
 * (JOURNAL_STREAM names it) each line begins with the "<priority>" prefix of sd-daemon(3). Control
 * characters in the formatted text are escaped, so nothing from outside can forge a line.
 * errno is preserved. Libraries log at debug only.
 */
#include <syslog.h>

/* Lines less important than this syslog level are not written; default LOG_INFO. */
void log_set_level(int level);

/* Debug lines only of this comma-separated list of tokens; nullptr = of all. Borrowed for the
 * life of the program. */
void log_set_tokens(const char *tokens);

[[gnu::format(printf, 3, 4)]] void log_line(int level, const char *token, const char *fmt, ...);

#define log_err(token, ...) log_line(LOG_ERR, token, __VA_ARGS__)
#define log_warn(token, ...) log_line(LOG_WARNING, token, __VA_ARGS__)
#define log_info(token, ...) log_line(LOG_INFO, token, __VA_ARGS__)
#define log_debug(token, ...) log_line(LOG_DEBUG, token, __VA_ARGS__)
