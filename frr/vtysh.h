/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * vtysh: one run of FRR's shell as a child of the event loop.
 *
 * The child gets a session of its own, an empty environment but for what it needs, no descriptor
 * of ours, and its script as a file in memory on standard input: what a script holds, passwords
 * too, shows in no argument list. It ends by itself, or is killed with all that it started when its
 * time is over or it says more than VTYSH_OUT_MAX; then it is reaped, and the caller is told once.
 * What it said is wiped before it is freed.
 *
 * A run says nothing about success: vtysh exits with 0 over commands that were lost, and complains
 * over ones that were taken. Who writes reads back.
 */
#include "lib/err.h"
#include <stdint.h>
#include <systemd/sd-event.h>

#define VTYSH_PROGRAM "/usr/bin/vtysh"
constexpr uint64_t VTYSH_TIMEOUT_US = 5'000'000;
constexpr size_t VTYSH_OUT_MAX = 8 * 1024 * 1024;
constexpr size_t VTYSH_ERR_MAX = 256 * 1024;

struct vtysh;

struct vtysh_request {
	const char *program;          /* absolute; another one in tests */
	const char *const *arguments; /* behind the program's name; nullptr ends them */
	const char *script;           /* on standard input; nullptr = none */
	size_t script_len;
	uint64_t timeout_us;
};

struct vtysh_result {
	int error;    /* 0 = it ended by itself; positive: ETIME, EMSGSIZE, or why it cannot run */
	int status;   /* exit status, 128 + signal where one ended it */
	char *out;    /* standard output, NUL-terminated; never nullptr */
	char *err;    /* standard error, likewise */
	size_t n_out; /* bytes before the NUL; what it printed may hold others */
	size_t n_err;
};

/* The result is the caller's for the time of the call. The run is over and its handle gone. */
typedef void (*vtysh_done)(void *arg, const struct vtysh_result *result);

/* Begins a run. 0 and *out, which is good until done is called, or -errno (-ENOENT: there is no
 * such program). */
[[nodiscard]] int vtysh_start(sd_event *event, const struct vtysh_request *request, vtysh_done done,
	void *arg, struct vtysh **out, struct err *err);
/* Kills and reaps; done is not called. nullptr is fine. */
void vtysh_cancel(struct vtysh *v);

/* The same for who has no loop: waits for the end. *out is always filled and must be cleared. */
void vtysh_run(const struct vtysh_request *request, struct vtysh_result *out);
void vtysh_result_clear(struct vtysh_result *r);
