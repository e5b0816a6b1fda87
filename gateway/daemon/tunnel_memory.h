/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tunnel_memory: memory that an edge's tunnel writes its connections into, so that the next process
 * can call the peers back (tunnel/roll.h). Here it is only made and kept: what is in there comes
 * from a process that reads what strangers send, and meshgwd never looks at it.
 */

struct tunnel_memory {
	int fd; /* -1 = there is none */
};

/* True: there is another descriptor than before. Without memory the tunnel works as well. */
bool tunnel_memory_want(struct tunnel_memory *m, bool wanted);
/* Of before a restart; closed where it is not what we make. */
void tunnel_memory_adopt(struct tunnel_memory *m, int take_fd);
void tunnel_memory_clear(struct tunnel_memory *m);
