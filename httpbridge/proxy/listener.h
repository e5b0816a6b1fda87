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
/* Before sockets go that nobody else may have: the kernel resets what still waits in their queues.
 */
void listeners_take_waiting(struct worker *w);
/* The admin's, or all others. */
void listeners_close(struct worker *w, bool admin);
