/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/frr_proof.h"
#include "lib/xmalloc.h"
#include <stdlib.h>

void frr_proof_tell(const struct frr_sync *s, struct prove *p, uint64_t now_us)
{
	const struct frr_show *show = &s->view.show;
	struct prove_session *list = xcalloc(show->n_sessions, sizeof(*list));
	size_t n = 0;
	for (size_t i = 0; i < show->n_sessions; i++) {
		const struct frr_session *from = &show->sessions[i];
		if (from->state == FRR_SESSION_ESTABLISHED &&
			(from->family[0].advertised || from->family[1].advertised))
			list[n++] = (struct prove_session){.neighbor = from->address,
				.sent4 = from->family[0].advertised > 0,
				.sent6 = from->family[1].advertised > 0};
	}
	prove_set_sessions(p, list, n, now_us);
	free(list);
}
