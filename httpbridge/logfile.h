/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * logfile: standard output, where the access log goes, when it is a file that somebody rotates.
 *
 * What is moved away is still what is written to: after that it is opened anew, by the name that it
 * had at the start. The journal, a pipe and a terminal stay as they are.
 */

/* What is standard output? Before anything is written. */
void logfile_remember(void);
/* If it cannot be opened the old one stays. */
void logfile_reopen(void);
