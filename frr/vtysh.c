/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/vtysh.h"
#include "lib/own.h"
#include "lib/xmalloc.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

/* One direction of what the child says. */
struct stream {
	int fd;
	char *text;
	size_t n, cap, max;
	sd_event_source *source;
	struct vtysh *run;
};

struct vtysh {
	pid_t pid;
	int pidfd;
	struct stream streams[2]; /* standard output, standard error */
	sd_event_source *end, *deadline;
	struct vtysh_result result;
	vtysh_done done;
	void *arg;
};

/* ---- the child ---- */

static int script_fd(const struct vtysh_request *q)
{
	if (!q->script)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	int fd = memfd_create("vtysh", MFD_CLOEXEC);
	size_t n = 0;
	while (fd >= 0 && n < q->script_len) {
		ssize_t r = pwrite(fd, q->script + n, q->script_len - n, (off_t)n);
		if (r < 0) {
			int e = errno;
			close(fd);
			errno = e;
			return -1;
		}
		n += (size_t)r;
	}
	return fd;
}

/* Signals as at a login: the daemon blocks what it handles itself. */
static int set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	int r = posix_spawnattr_setflags(
		attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (!r)
		r = posix_spawnattr_setsigmask(attr, &none);
	return r ? r : posix_spawnattr_setsigdefault(attr, &all);
}

static int set_actions(posix_spawn_file_actions_t *actions, int in, int out, int err)
{
	int r = posix_spawn_file_actions_adddup2(actions, in, STDIN_FILENO);
	if (!r)
		r = posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
	if (!r)
		r = posix_spawn_file_actions_adddup2(actions, err, STDERR_FILENO);
	return r ? r : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
}

/* Positive errno as posix_spawn(3). */
static int spawn(struct vtysh *v, const struct vtysh_request *q, int in, int out, int err)
{
	static const char *const environment[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "TERM=dumb", "HOME=/", nullptr};
	posix_spawnattr_t attr;
	posix_spawn_file_actions_t actions;
	size_t n = 0;
	while (q->arguments && q->arguments[n])
		n++;
	autofree const char **argv = xcalloc(n + 2, sizeof(*argv));
	argv[0] = q->program;
	for (size_t i = 0; i < n; i++)
		argv[i + 1] = q->arguments[i];
	if (posix_spawnattr_init(&attr) || posix_spawn_file_actions_init(&actions))
		out_of_memory();
	int r = set_attributes(&attr);
	if (!r)
		r = set_actions(&actions, in, out, err);
	if (!r)
		r = pidfd_spawn(&v->pidfd, q->program, &actions, &attr,
			(char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	if (r)
		v->pidfd = -1;
	else
		v->pid = pidfd_getpid(v->pidfd);
	return r;
}

static int start_child(struct vtysh *v, const struct vtysh_request *q)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1};
	autoclose int in = script_fd(q);
	int r = in < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 ? errno : 0;
	v->streams[0].fd = out[0];
	v->streams[1].fd = err[0];
	autoclose int out_end = out[1], err_end = err[1];
	if (!r)
		r = spawn(v, q, in, out_end, err_end);
	return -r;
}

/* Also what it started, as long as that stayed in its session; it is not reaped yet, so the number
 * is nobody else's. */
static void kill_child(const struct vtysh *v)
{
	if (v->pid > 0)
		(void)kill(-v->pid, SIGKILL);
}

static void reap(struct vtysh *v)
{
	siginfo_t info = {};
	if (v->pidfd < 0 || waitid(P_PIDFD, (id_t)v->pidfd, &info, WEXITED) < 0)
		return;
	v->result.status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
	v->pid = 0;
}

/* ---- what it says ---- */

/* Grows by copying, so that nothing is left behind unwiped. */
static void grow(struct stream *s)
{
	size_t cap = s->cap ? 2 * s->cap : 16 * 1024;
	char *text = xcalloc(cap, 1);
	if (s->text) {
		memcpy(text, s->text, s->n);
		explicit_bzero(s->text, s->n);
	}
	free(s->text);
	s->text = text;
	s->cap = cap;
}

/* 0 = more may come, 1 = never again, or -errno. */
static int read_stream(struct stream *s)
{
	for (;;) {
		if (s->n + 1 >= s->cap)
			grow(s);
		ssize_t n = read(s->fd, s->text + s->n, s->cap - s->n - 1);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (n == 0)
			return 1;
		s->n += (size_t)n;
		if (s->n > s->max)
			return -EMSGSIZE;
	}
}

static void stream_stop(struct stream *s)
{
	s->source = sd_event_source_disable_unref(s->source);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void stream_clear(struct stream *s)
{
	stream_stop(s);
	if (s->text)
		explicit_bzero(s->text, s->n);
	free(s->text);
	s->text = nullptr;
}

/* ---- the run ---- */

static void release(struct vtysh *v)
{
	sd_event_source_disable_unref(v->end);
	sd_event_source_disable_unref(v->deadline);
	if (v->pid > 0) {
		kill_child(v);
		reap(v);
	}
	for (size_t i = 0; i < 2; i++)
		stream_clear(&v->streams[i]);
	if (v->pidfd >= 0)
		close(v->pidfd);
	free(v);
}

void vtysh_cancel(struct vtysh *v)
{
	if (v)
		release(v);
}

static void finish(struct vtysh *v)
{
	for (size_t i = 0; i < 2; i++)
		if (!v->streams[i].text)
			grow(&v->streams[i]);
	v->result.out = v->streams[0].text;
	v->result.n_out = v->streams[0].n;
	v->result.err = v->streams[1].text;
	v->result.n_err = v->streams[1].n;
	v->done(v->arg, &v->result);
	release(v);
}

static void give_up(struct vtysh *v, int error)
{
	if (!v->result.error)
		v->result.error = error;
	kill_child(v); /* its end is the next event */
}

static int on_output(sd_event_source *, int, uint32_t, void *userdata)
{
	struct stream *s = userdata;
	int r = read_stream(s);
	if (r != 0)
		stream_stop(s);
	if (r < 0)
		give_up(s->run, -r);
	return 0;
}

static int on_end(sd_event_source *, int, uint32_t, void *userdata)
{
	struct vtysh *v = userdata;
	/* Whatever it left behind in its session must not go on talking to FRR. */
	kill_child(v);
	reap(v);
	for (size_t i = 0; i < 2; i++)
		if (v->streams[i].fd >= 0 && read_stream(&v->streams[i]) < 0 && !v->result.error)
			v->result.error = EMSGSIZE;
	finish(v);
	return 0;
}

static int on_deadline(sd_event_source *, uint64_t, void *userdata)
{
	give_up(userdata, ETIME);
	return 0;
}

static int watch_streams(struct vtysh *v, sd_event *event)
{
	for (size_t i = 0; i < 2; i++) {
		struct stream *s = &v->streams[i];
		s->run = v;
		s->max = i ? VTYSH_ERR_MAX : VTYSH_OUT_MAX;
		if (fcntl(s->fd, F_SETFL, O_NONBLOCK) < 0)
			return -errno;
		int r = sd_event_add_io(event, &s->source, s->fd, EPOLLIN, on_output, s);
		if (r < 0)
			return r;
	}
	return 0;
}

int vtysh_start(sd_event *event, const struct vtysh_request *q, vtysh_done done, void *arg,
	struct vtysh **out, struct err *err)
{
	struct vtysh *v = xcalloc(1, sizeof(*v));
	*v = (struct vtysh){
		.pidfd = -1, .streams = {{.fd = -1}, {.fd = -1}}, .done = done, .arg = arg};
	int r = start_child(v, q);
	if (r >= 0)
		r = watch_streams(v, event);
	if (r >= 0)
		r = sd_event_add_io(event, &v->end, v->pidfd, EPOLLIN, on_end, v);
	if (r >= 0)
		r = sd_event_add_time_relative(
			event, &v->deadline, CLOCK_MONOTONIC, q->timeout_us, 1, on_deadline, v);
	if (r < 0) {
		release(v);
		return err_set(err, -r, "%s: %s", q->program, strerror(-r));
	}
	*out = v;
	return 0;
}

/* ---- without a loop ---- */

struct waiter {
	sd_event *event;
	struct vtysh_result *out;
};

static char *copy(const char *text, size_t n)
{
	char *c = xcalloc(n + 1, 1);
	memcpy(c, text, n);
	return c;
}

static void on_done(void *arg, const struct vtysh_result *result)
{
	struct waiter *w = arg;
	*w->out = *result;
	w->out->out = copy(result->out, result->n_out);
	w->out->err = copy(result->err, result->n_err);
	(void)sd_event_exit(w->event, 0);
}

void vtysh_run(const struct vtysh_request *request, struct vtysh_result *out)
{
	struct waiter w = {.out = out};
	struct vtysh *run = nullptr;
	*out = (struct vtysh_result){};
	int r = sd_event_new(&w.event);
	if (r >= 0)
		r = vtysh_start(w.event, request, on_done, &w, &run, nullptr);
	if (r >= 0)
		r = sd_event_loop(w.event);
	sd_event_unref(w.event);
	if (r < 0)
		out->error = -r;
	if (!out->out)
		out->out = copy("", 0);
	if (!out->err)
		out->err = copy("", 0);
}

void vtysh_result_clear(struct vtysh_result *r)
{
	if (r->out)
		explicit_bzero(r->out, r->n_out);
	if (r->err)
		explicit_bzero(r->err, r->n_err);
	free(r->out);
	free(r->err);
	*r = (struct vtysh_result){};
}
