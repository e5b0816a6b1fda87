/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/observed.h"
#include <stdlib.h>

void observed_clear(struct observed *o)
{
	link_set_clear(&o->links);
	ifaddr_set_clear(&o->addresses);
	netconf_set_clear(&o->netconfs);
	route_set_clear(&o->ours);
	route_set_clear(&o->foreign);
	free(o->ras);
	*o = (struct observed){};
}
