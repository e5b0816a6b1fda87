/* SPDX-License-Identifier: Apache-2.0 */
#include "doomed.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/kernel_linux.h"
#include "daemon/loop.h"
#include "lib/own.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

constexpr int DEADLINE_MS = 5000;

static struct sockaddr_un address(const struct doomed *d, const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", d->dir, name);
	return a;
}

void doomed_init(struct doomed *d)
{
	char path[96];

	/* In memory where there is such a place: the store syncs every file. */
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	*d = (struct doomed){};
	snprintf(d->dir, sizeof(d->dir), "%s/meshgw-test.XXXXXX", base);
	assert_non_null(mkdtemp(d->dir));
	snprintf(path, sizeof(path), "%s/state", d->dir);
	assert_int_equal(mkdir(path, 0700), 0);

	struct sockaddr_un a = address(d, "notify");
	d->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(d->notify >= 0);
	assert_int_equal(bind(d->notify, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", a.sun_path, 1), 0);
}

void doomed_forget(struct doomed *d)
{
	static const char *const files[] = {"state.json", "confirmed.yaml", "previous.yaml",
		"candidate.yaml", "state.json.new", "previous.yaml.new", "candidate.yaml.new"};
	char path[128];

	assert_int_equal(d->pid, 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/state/%s", d->dir, files[i]);
		assert_true(unlink(path) == 0 || errno == ENOENT);
	}
}

void doomed_clear(struct doomed *d)
{
	static const char *const names[] = {"status", "control", "bridge", "tunnel", "notify"};
	char path[128];

	doomed_kill(d);
	doomed_forget(d);
	close(d->notify);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", d->dir, names[i]);
		assert_true(unlink(path) == 0 || errno == ENOENT);
	}
	snprintf(path, sizeof(path), "%s/state", d->dir);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(d->dir), 0);
}

/* ---- the daemon ---- */

[[noreturn]] static void be_meshgwd(const struct doomed *d)
{
	char state[96], etc[96];
	struct kernel *kernel = nullptr;
	struct store *store = nullptr;
	struct err err = {};

	snprintf(state, sizeof(state), "%s/state", d->dir);
	snprintf(etc, sizeof(etc), "%s/none.yaml", d->dir);
	int r = kernel_linux_open(&kernel, &err);
	if (r >= 0)
		r = store_open(state, &store, &err);
	if (r >= 0)
		(void)loop_run(&(struct loop_options){.config_path = etc, .runtime_dir = d->dir},
			kernel, store, &err);
	fprintf(stderr, "%s\n", err.msg);
	_exit(1);
}

static void drain(struct doomed *d)
{
	char text[256];
	while (recv(d->notify, text, sizeof(text), MSG_DONTWAIT) > 0)
		;
}

/* Stopped at its beginning until it is let go, so that it can be traced from there. */
static void spawn(struct doomed *d)
{
	int status;

	assert_int_equal(d->pid, 0);
	drain(d);
	d->pid = fork();
	assert_true(d->pid >= 0);
	if (d->pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, STDERR_FILENO);
		raise(SIGSTOP);
		be_meshgwd(d);
	}
	assert_int_equal(waitpid(d->pid, &status, WUNTRACED), d->pid);
	assert_true(WIFSTOPPED(status));
}

static bool readable(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, timeout_ms) > 0;
}

void doomed_start(struct doomed *d)
{
	spawn(d);
	assert_int_equal(kill(d->pid, SIGCONT), 0);
	if (!readable(d->notify, DEADLINE_MS))
		fail_msg("meshgwd does not start");
}

void doomed_kill(struct doomed *d)
{
	if (d->pid == 0)
		return;
	assert_int_equal(kill(d->pid, SIGKILL), 0);
	assert_int_equal(waitpid(d->pid, nullptr, 0), d->pid);
	d->pid = 0;
}

/* ---- requests ---- */

static int send_request(struct doomed *d, const char *request)
{
	struct sockaddr_un a = address(d, "control");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	size_t len = strlen(request) + 1;
	assert_int_equal(send(fd, request, len, MSG_NOSIGNAL), len);
	return fd;
}

static void read_reply(int fd)
{
	static char text[1 << 16];
	size_t n = 0;

	do {
		if (!readable(fd, DEADLINE_MS))
			fail_msg("no reply");
		ssize_t more = recv(fd, text + n, sizeof(text) - 1 - n, 0);
		assert_true(more > 0);
		n += (size_t)more;
	} while (text[n - 1] != '\0');
	if (strstr(text, "\"error\""))
		fail_msg("%s", text);
}

void doomed_ask(struct doomed *d, const char *request)
{
	autoclose int fd = send_request(d, request);
	read_reply(fd);
}

/* ---- tracing ---- */

static bool waits_for_events(const struct __ptrace_syscall_info *call)
{
	return call->entry.nr == SYS_epoll_wait || call->entry.nr == SYS_epoll_pwait ||
	       call->entry.nr == SYS_epoll_pwait2;
}

static void attach(pid_t pid)
{
	int status;

	assert_int_equal(
		ptrace(PTRACE_SEIZE, pid, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
}

/* On to its next system call. */
static void next_call(pid_t pid, struct __ptrace_syscall_info *call)
{
	int status;

	do {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, nullptr, nullptr), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSTOPPED(status));
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(*call), call) > 0);
	} while (WSTOPSIG(status) != (SIGTRAP | 0x80) || call->op != PTRACE_SYSCALL_INFO_ENTRY);
}

/* A netlink message that only asks: the kinds of rtnetlink come in fours, those of nftables and
 * conntrack in threes (linux/rtnetlink.h, netfilter/nf_tables.h, nfnetlink_conntrack.h). */
static bool only_asks(pid_t pid, const struct __ptrace_syscall_info *call)
{
	struct nlmsghdr nlh;
	struct iovec here = {.iov_base = &nlh, .iov_len = sizeof(nlh)};
	struct iovec there = {
		.iov_base = (void *)(uintptr_t)call->entry.args[1], .iov_len = sizeof(nlh)};

	if (process_vm_readv(pid, &here, 1, &there, 1, 0) != sizeof(nlh))
		return false;
	if (nlh.nlmsg_len != call->entry.args[2]) /* a batch, or not netlink */
		return false;
	if (NFNL_SUBSYS_ID(nlh.nlmsg_type) == 0)
		return nlh.nlmsg_type % 4 == RTM_GETLINK % 4;
	return NFNL_MSG_TYPE(nlh.nlmsg_type) % 3 == NFT_MSG_GETTABLE;
}

/* Reading, asking, waiting, logging, and what concerns nothing but the process itself. */
static bool changes_nothing(pid_t pid, const struct __ptrace_syscall_info *call)
{
	static const unsigned harmless[] = {SYS_read, SYS_pread64, SYS_recvmsg, SYS_recvfrom,
		SYS_poll, SYS_ppoll, SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_pwait2,
		SYS_epoll_ctl, SYS_fstat, SYS_newfstatat, SYS_statx, SYS_lseek, SYS_faccessat2,
		SYS_access, SYS_fcntl, SYS_close, SYS_brk, SYS_mmap, SYS_munmap, SYS_mprotect,
		SYS_mremap, SYS_madvise, SYS_futex, SYS_getpid, SYS_gettid, SYS_getrandom,
		SYS_getsockopt, SYS_getsockname, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_socket,
		SYS_setsockopt, SYS_epoll_create1, SYS_clock_gettime, SYS_timerfd_settime,
		SYS_capget};

	if (call->entry.nr == SYS_sendto)
		return only_asks(pid, call);
	if (call->entry.nr == SYS_write)
		return call->entry.args[0] == STDERR_FILENO;
	if (call->entry.nr == SYS_openat)
		return !(call->entry.args[2] & (O_CREAT | O_TRUNC));
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (call->entry.nr == harmless[i])
			return true;
	return false;
}

/* Its answer (or READY=1) is there, and it has nothing left to do. */
static bool is_done(int fd, const struct __ptrace_syscall_info *call)
{
	return waits_for_events(call) && readable(fd, 0);
}

bool doomed_run(struct doomed *d, const char *request, unsigned nth)
{
	struct __ptrace_syscall_info call = {};
	bool hit = false;
	unsigned n = 0;

	if (!request)
		spawn(d);
	attach(d->pid);
	autoclose int fd = request ? send_request(d, request) : dup(d->notify);
	if (!request)
		assert_int_equal(kill(d->pid, SIGCONT), 0);
	do {
		next_call(d->pid, &call);
		hit = !changes_nothing(d->pid, &call) && ++n == nth;
	} while (!hit && !is_done(fd, &call));
	doomed_kill(d);
	return hit;
}
