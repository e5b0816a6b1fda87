/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * doomed: a meshgwd in a process of its own (loop_run() over the real kernel of the caller's
 * network namespace) that can be killed at any one system call.
 *
 * doomed_start() returns when the daemon says READY=1, doomed_kill() is kill -9 at rest.
 * doomed_run() traces it (ptrace(2)) from a request on, or from its very beginning, and kills it
 * at the entry of a system call. Calls that cannot change anything outside the process are not
 * counted: being killed at the next one comes to the same. One daemon at a time; the directory
 * outlives them all.
 */
#include <stddef.h>
#include <sys/types.h>

struct doomed {
	char dir[64]; /* state/ and sockets */
	int notify;   /* where READY=1 arrives */
	pid_t pid;    /* 0 = none runs */
};

void doomed_init(struct doomed *d);
/* Kills the daemon and removes the directory. */
void doomed_clear(struct doomed *d);

void doomed_start(struct doomed *d);
void doomed_kill(struct doomed *d);
/* What it remembers is gone; none may run. */
void doomed_forget(struct doomed *d);

/* A varlink request on the control socket, without its NUL. Fails the test on an error reply. */
void doomed_ask(struct doomed *d, const char *request);

/* Kills the daemon at the nth system call (from 1) that could change something, after the request
 * was sent or, without a request, after its start. True when it came to that; false when it had
 * answered and was idle (or ready) before, and it is then killed there. */
bool doomed_run(struct doomed *d, const char *request, unsigned nth);
