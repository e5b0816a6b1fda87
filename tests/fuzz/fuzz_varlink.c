/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_varlink: bytes as a client sends them, to the daemon's own handlers over a kernel in
 * memory. The first byte chooses the socket: an odd one control, an even one status, from which
 * nothing may ever change. A NUL ends a message.
 */
#include "daemon/server.h"
#include "lib/own.h"
#include "world.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Beyond what a socket pair takes at once, writing would wait for us. */
constexpr size_t INPUT_MAX = 64 * 1024;

static void ignore(void *)
{
}

static void serve(struct world *w, bool control, const uint8_t *data, size_t size)
{
	struct conditions conditions = {};
	struct server_context context = {
		.reload = &w->reload, .conditions = &conditions, .changed = ignore};
	struct server *server = nullptr;
	sd_event *event = nullptr;
	struct err err = {};
	int ends[2];

	if (sd_event_new(&event) < 0 || server_new(event, w->dir, &context, &server, &err) < 0 ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0 ||
		server_add_connection(server, control, ends[0]) < 0)
		abort();
	(void)!send(ends[1], data, size, MSG_NOSIGNAL);
	(void)shutdown(ends[1], SHUT_WR);
	while (sd_event_run(event, 0) > 0) {
		char replies[4096];
		while (recv(ends[1], replies, sizeof(replies), MSG_DONTWAIT) > 0)
			;
	}
	close(ends[1]);
	server_free(server);
	sd_event_unref(event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w;

	if (size == 0 || size > INPUT_MAX)
		return 0;
	bool control = data[0] & 1;
	world_init(&w, world_host);
	world_enter(&w, world_allow);
	world_run(&w, WORLD_SECOND);
	autofree char *before = world_text(&w);
	serve(&w, control, data + 1, size - 1);
	autofree char *after = world_text(&w);
	assert(control || !strcmp(before, after));
	world_clear(&w);
	return 0;
}
