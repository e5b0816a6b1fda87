/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ask_pin: the pin of a certificate or key, for `meshgw tunnel pin`.
 *
 * What comes from a file that somebody was sent is read here and not by meshgw, which root runs:
 * as nobody in particular, and without anything but standard input and output.
 */

/* PEM on standard input, the pin or a sentence on standard output or error. Returns the program's
 * exit status. */
int ask_pin(void);
