/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * listener: the sockets that connections come in by.
 *
 * They are opened by meshgwd, or by systemd, and given to each worker as a duplicate: the kernel
 * gives a connection to the one that asks first. Their owner keeps them open when the bridge dies,
 * and the queue of connections with them.
 */

struct worker;

/* Takes the descriptor. admin: the page of metrics, not the routes. */
void listener_new(struct worker *w, int fd, bool admin);
/* These instead of those so far but the admin's; takes the descriptors. A socket of before that has
 * a successor at its address stays open beside it, up to a bound: the kernel would reset what is in
 * its queues, handshakes that wait for a first byte included (TCP_DEFER_ACCEPT). */
void listeners_replace(struct worker *w, const int *fds, unsigned n);
/* The admin's, or all others. */
void listeners_close(struct worker *w, bool admin);
