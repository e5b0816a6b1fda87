/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/privilege.h"
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* capset(2) has no wrapper in glibc; the 64-bit sets come in two halves. */
static int set_caps(uint32_t low)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{.effective = low, .permitted = low}};
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

/* Ports below 1024 are the HTTP bridge's. */
static constexpr uint32_t needed = 1U << CAP_NET_ADMIN | 1U << CAP_NET_BIND_SERVICE;

static int become(const char *user, struct err *err)
{
	errno = 0;
	const struct passwd *pw = getpwnam(user);
	if (!pw)
		return err_set(err, errno ? errno : ENOENT,
			"there is no user %s; install the package's sysusers file", user);
	if (prctl(PR_SET_KEEPCAPS, 1) < 0 || initgroups(user, pw->pw_gid) < 0 ||
		setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
		setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return err_set(err, errno, "cannot become user %s: %s", user, strerror(errno));
	int r = set_caps(needed);
	if (r < 0)
		return err_set(err, -r, "cannot keep capabilities: %s", strerror(-r));
	return 0;
}

int privilege_settle(const char *user, struct err *err)
{
	if (geteuid() == 0) {
		int r = become(user, err);
		if (r < 0)
			return r;
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, errno, "prctl: %s", strerror(errno));
	return 0;
}

bool privilege_net_admin(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &head, data) < 0)
		return false;
	return data[0].effective & 1U << CAP_NET_ADMIN;
}
