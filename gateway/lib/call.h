/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * call: one question to meshgwd, on a connection of its own, that never blocks.
 *
 * done() is called once, from the event loop, and then the call is gone: with the reply's
 * parameters, or nullptr and the error's name. It is not called after call_cancel().
 */
#include <stdint.h>
#include <systemd/sd-event.h>
#include <systemd/sd-json.h>

struct call;

struct call_request {
	const char *socket, *method;
	sd_json_variant *parameters; /* a reference is taken */
	uint64_t timeout_us;
	void (*done)(void *arg, sd_json_variant *reply, const char *error);
	void *arg;
};

/* -errno if it could not even begin: done() is not called then. */
[[nodiscard]] int call_new(sd_event *event, const struct call_request *request, struct call **out);
void call_cancel(struct call *c); /* nullptr is allowed */
