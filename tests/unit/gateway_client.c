/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway_client.h"
#include "lib/json.h"
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int client_connect(struct server *s, enum server_socket which)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_true(server_add_connection(s, which, ends[0]) >= 0);
	return ends[1];
}

void client_serve(sd_event *event)
{
	while (sd_event_run(event, 0) > 0)
		;
}

void client_call(int fd, const char *method, const char *rest)
{
	char text[1024];
	int n = snprintf(
		text, sizeof(text), "{\"method\":\"io.meshgw.Gateway.%s\"%s}", method, rest);

	assert_int_equal(send(fd, text, (size_t)n + 1, MSG_NOSIGNAL), n + 1);
}

/* The text of a message and its descriptors; the length, 0 = there is none. */
static size_t receive_text(int fd, char *text, size_t size, struct client_reply *out)
{
	char control[CMSG_SPACE(sizeof(out->fds))];
	struct iovec iov = {text, size - 1};
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		out->n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(out->fds, CMSG_DATA(c), out->n_fds * sizeof(int));
	}
	return (size_t)n;
}

bool client_receive(sd_event *event, int fd, struct client_reply *out)
{
	static char text[1 << 20];
	autojson sd_json_variant *v = nullptr;

	client_serve(event);
	client_reply_clear(out);
	if (receive_text(fd, text, sizeof(text), out) == 0)
		return false;
	assert_true(sd_json_parse(text, 0, &v, nullptr, nullptr) >= 0);
	out->parameters = sd_json_variant_ref(sd_json_variant_by_key(v, "parameters"));
	sd_json_variant *error = sd_json_variant_by_key(v, "error");
	if (error)
		snprintf(out->error, sizeof(out->error), "%s", sd_json_variant_string(error));
	return true;
}

void client_read(sd_event *event, int fd, char *text, size_t size)
{
	client_serve(event);
	ssize_t n = recv(fd, text, size - 1, MSG_DONTWAIT);
	text[n > 0 ? n : 0] = '\0';
}

void client_reply_clear(struct client_reply *r)
{
	for (size_t i = 0; i < r->n_fds; i++)
		close(r->fds[i]);
	sd_json_variant_unref(r->parameters);
	*r = (struct client_reply){};
}

const char *client_text(sd_json_variant *v, const char *key)
{
	sd_json_variant *text = sd_json_variant_by_key(v, key);

	assert_true(text && sd_json_variant_is_string(text));
	return sd_json_variant_string(text);
}
