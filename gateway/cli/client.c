/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"
#include "lib/api.h"
#include "lib/own.h"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <systemd/sd-varlink.h>
#include <time.h>

constexpr uint64_t SECOND_US = 1'000'000;
constexpr uint64_t WAITING_US = SECOND_US / 10;

struct client_path client_path(const char *standard)
{
	const char *dir = getenv("MESHGW_RUNTIME_DIR");
	struct client_path path;

	if (dir)
		snprintf(path.text, sizeof(path.text), "%s%s", dir, strrchr(standard, '/'));
	else
		snprintf(path.text, sizeof(path.text), "%s", standard);
	return path;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND_US + (uint64_t)t.tv_nsec / 1000;
}

/* ---- Connecting ---- */

/* Blocks while the daemon's backlog is full: connect(2) of a UNIX socket honours SO_SNDTIMEO and
 * then returns EAGAIN. */
static int connect_once(const char *path, uint64_t timeout_us)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {
		(time_t)(timeout_us / SECOND_US), (suseconds_t)(timeout_us % SECOND_US)};

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));

	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return fd_take(&fd);
}

static bool nobody_there(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -ECONNREFUSED;
}

/* A starting daemon makes its sockets when it is ready; nothing tells us when that is. */
static int connect_patiently(const char *path, const struct client_call *call)
{
	static const struct timespec pause = {.tv_nsec = 20'000'000};
	uint64_t deadline = now_us() + call->timeout_us;

	for (;;) {
		int fd = connect_once(path, call->timeout_us);
		if (!nobody_there(fd) || !call->wait || now_us() >= deadline)
			return fd;
		nanosleep(&pause, nullptr);
	}
}

static enum exit_status fail_timeout(const struct client_call *call, struct failure *f)
{
	return failure_set(f, EXIT_TIMEOUT, "meshgwd does not answer: nothing within %g s",
		(double)call->timeout_us / (double)SECOND_US);
}

static enum exit_status fail_connect(
	const struct client_call *call, const char *path, int r, struct failure *f)
{
	if (nobody_there(r))
		return failure_set(f, EXIT_UNREACHABLE,
			"meshgwd is not running (%s: %s): start it with systemctl start meshgwd",
			path, strerror(-r));
	if (r == -EACCES || r == -EPERM)
		return failure_set(f, EXIT_PERMISSION,
			"no permission on %s: run as root or as a member of group meshgw", path);
	if (r == -EAGAIN)
		return fail_timeout(call, f);
	return failure_set(f, EXIT_UNREACHABLE, "cannot connect to %s: %s", path, strerror(-r));
}

/* ---- Asking ---- */

struct answer {
	bool arrived;
	sd_varlink_reply_flags_t flags;
	char error[96]; /* "" = none */
	sd_json_variant *parameters;
};

static int take_reply(sd_varlink *, sd_json_variant *parameters, const char *error,
	sd_varlink_reply_flags_t flags, void *userdata)
{
	struct answer *answer = userdata;

	answer->arrived = true;
	answer->flags = flags;
	answer->parameters = sd_json_variant_ref(parameters);
	snprintf(answer->error, sizeof(answer->error), "%s", error ? error : "");
	return 0;
}

/* sd_varlink_call(3) would do, but reports a daemon that hangs up and one that breaks the
 * protocol with the same errno; the callback is told which. */
static int ask(sd_varlink *link, const struct client_call *call, struct answer *answer)
{
	char method[64];
	int r;

	snprintf(method, sizeof(method), API_INTERFACE ".%s", call->method);
	(void)sd_varlink_set_userdata(link, answer);
	if ((r = sd_varlink_set_relative_timeout(link, call->timeout_us)) < 0 ||
		(r = sd_varlink_bind_reply(link, take_reply)) < 0 ||
		(r = sd_varlink_invoke(link, method, call->parameters)) < 0)
		return r;
	while (!answer->arrived) {
		r = sd_varlink_process(link);
		if (r == 0 && call->waiting)
			call->waiting(call->arg);
		if (r == 0)
			r = sd_varlink_wait(link, call->waiting ? WAITING_US : UINT64_MAX);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A server that has no room for a connection closes it at once; any other waits for a call. */
static bool is_full(const struct client_call *call)
{
	struct client_path path = client_path(call->socket);
	char byte;

	autoclose int fd = connect_once(path.text, SECOND_US);
	return fd >= 0 && poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 300) > 0 &&
	       recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static enum exit_status fail_disconnected(const struct client_call *call, struct failure *f)
{
	if (is_full(call))
		return failure_set(f, EXIT_TIMEOUT,
			"meshgwd has no connection free for this user: too many are open; "
			"try again in some seconds");
	return failure_set(f, EXIT_PROTOCOL, "meshgwd closed the connection without an answer");
}

static enum exit_status fail_unanswered(const struct client_call *call, struct failure *f)
{
	if (!call->changes)
		return fail_timeout(call, f);
	return failure_set(f, EXIT_TIMEOUT,
		"meshgwd does not answer: nothing within %g s; what was asked may still be "
		"done: see meshgw status",
		(double)call->timeout_us / (double)SECOND_US);
}

static enum exit_status fail_local(
	const struct client_call *call, const struct answer *answer, struct failure *f)
{
	if (strcmp(answer->error, SD_VARLINK_ERROR_TIMEOUT) == 0)
		return fail_unanswered(call, f);
	if (strcmp(answer->error, SD_VARLINK_ERROR_DISCONNECTED) == 0)
		return fail_disconnected(call, f);
	return failure_set(f, EXIT_PROTOCOL, "the answer of meshgwd is not valid");
}

static enum exit_status ask_over(
	int fd, const struct client_call *call, sd_json_variant **reply, struct failure *f)
{
	[[gnu::cleanup(sd_varlink_close_unrefp)]] sd_varlink *link = nullptr;
	struct answer answer = {};
	int r = sd_varlink_connect_fd(&link, fd);

	if (r < 0) {
		close(fd);
		return failure_set(f, EXIT_REFUSED, "varlink: %s", strerror(-r));
	}
	r = ask(link, call, &answer);
	enum exit_status status = EXIT_DONE;
	if (r < 0)
		status = failure_set(
			f, EXIT_PROTOCOL, "the answer of meshgwd is not valid: %s", strerror(-r));
	else if (answer.flags & SD_VARLINK_REPLY_LOCAL)
		status = fail_local(call, &answer, f);
	else if (answer.error[0])
		status = failure_from_error(f, answer.error, answer.parameters);
	else
		*reply = sd_json_variant_ref(answer.parameters);
	sd_json_variant_unref(answer.parameters);
	return status;
}

enum exit_status client_connect(const struct client_call *call, int *fd, struct failure *f)
{
	struct client_path path = client_path(call->socket);

	*fd = connect_patiently(path.text, call);
	return *fd < 0 ? fail_connect(call, path.text, *fd, f) : EXIT_DONE;
}

enum exit_status client_call(
	const struct client_call *call, sd_json_variant **reply, struct failure *f)
{
	int fd;
	enum exit_status status = client_connect(call, &fd, f);

	return fd >= 0 ? ask_over(fd, call, reply, f) : status;
}
