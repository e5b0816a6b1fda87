/* SPDX-License-Identifier: Apache-2.0 */
#include "quic_pair.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

int pair_setup(void **state)
{
	*state = world_new();
	return 0;
}

int pair_teardown(void **state)
{
	world_free(*state);
	return 0;
}

struct world *pair_open(struct world *w)
{
	world_start(w);
	world_dial(w);
	assert_true(world_until(w, world_opened, 5));
	return w;
}

bool pair_client_closed(struct world *w)
{
	return w->client.closed > 0;
}

void pair_redial(struct world *w)
{
	if (w->client.connection) {
		quic_connection_close(w->client.connection, QUIC_H3_NO_ERROR, "");
		assert_true(world_until(w, world_closed, 5));
	}
	world_reset(&w->client);
	world_reset(&w->server);
	world_dial(w);
}
