/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * gateway_client: somebody at one of meshgwd's sockets, as a test meets them: one end of a pair of
 * sockets, of which the other is the server's. Nothing here waits: the server has its turn in
 * client_serve(), and what it has not said by then it does not say.
 */
#include "daemon/server.h"

/* A message of meshgwd. */
struct client_reply {
	sd_json_variant *parameters;
	char error[64]; /* "" = none */
	int fds[8];
	size_t n_fds;
};

/* The caller closes it. */
[[nodiscard]] int client_connect(struct server *s, enum server_socket which);
/* Whatever is waiting, and no longer. */
void client_serve(sd_event *event);
/* A method of io.meshgw.Gateway. rest: what follows the method's name in the JSON text. */
void client_call(int fd, const char *method, const char *rest);
/* The next message, in place of that in *out; false = there is none. */
[[nodiscard]] bool client_receive(sd_event *event, int fd, struct client_reply *out);
/* The same as text, "" = there is none. */
void client_read(sd_event *event, int fd, char *text, size_t size);
/* A member that must be text. */
const char *client_text(sd_json_variant *v, const char *key);
void client_reply_clear(struct client_reply *r);
