/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/fd_store.h"
#include "lib/log.h"
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

void fd_store_keep(const char *token, const char *name, int fd)
{
	char text[256];

	snprintf(text, sizeof(text), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	int r = sd_pid_notify_with_fds(0, 0, text, &fd, 1);
	if (r < 0)
		log_warn(token, "a descriptor will not outlive meshgwd name=%s: %s", name,
			strerror(-r));
}

void fd_store_drop(const char *token, const char *name)
{
	int r = sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);

	if (r < 0)
		log_warn(token, "systemd keeps a descriptor name=%s: %s", name, strerror(-r));
}
