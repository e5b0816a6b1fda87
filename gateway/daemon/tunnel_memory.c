/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tunnel_memory.h"
#include "daemon/fd_store.h"
#include "lib/log.h"
#include "lib/own.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STORE_NAME "tunnel-memory"

/* Some 4500 connections; pages that are not used cost nothing. */
constexpr off_t BYTES = 320 * 1024;
/* The tunnel may write, but not make it larger than it is. */
constexpr int SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW;

static int make(void)
{
	autoclose int fd = memfd_create(
		"meshgw-tunnel", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 || ftruncate(fd, BYTES) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return fd_take(&fd);
}

bool tunnel_memory_want(struct tunnel_memory *m, bool wanted)
{
	if (wanted == (m->fd >= 0))
		return false;
	if (!wanted) {
		fd_store_drop("tunnel", STORE_NAME);
		tunnel_memory_clear(m);
		return true;
	}
	m->fd = make();
	if (m->fd < 0) {
		log_warn("tunnel", "no memory to call gateways back with: %s", strerror(-m->fd));
		m->fd = -1;
		return false;
	}
	fd_store_keep("tunnel", STORE_NAME, m->fd);
	return true;
}

void tunnel_memory_adopt(struct tunnel_memory *m, int take_fd)
{
	int seals = fcntl(take_fd, F_GET_SEALS);

	if (m->fd >= 0 || seals < 0 || (seals & SEALS) != SEALS) {
		close(take_fd);
		return;
	}
	m->fd = take_fd;
}

void tunnel_memory_clear(struct tunnel_memory *m)
{
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
}
