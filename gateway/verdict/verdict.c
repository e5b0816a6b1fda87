/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict/verdict.h"
#include <string.h>

const char *confidence_str(enum confidence c)
{
	static const char *const names[CONFIDENCES] = {
		[CONFIDENCE_CERTAIN] = "certain",
		[CONFIDENCE_LIKELY] = "likely",
		[CONFIDENCE_UNDETERMINED] = "undetermined",
		[CONFIDENCE_INCONCLUSIVE] = "inconclusive",
	};
	return names[c];
}

const char *verdict_point_str(enum verdict_point at)
{
	static const char *const names[ATS] = {
		[AT_NOWHERE] = "nowhere",
		[AT_CALLER] = "caller",
		[AT_TUNNEL] = "tunnel",
		[AT_MESH_INTERFACE] = "mesh-interface",
		[AT_GATEWAY] = "gateway",
		[AT_LAN_INTERFACE] = "lan-interface",
		[AT_LAN] = "lan",
		[AT_SERVICE] = "service",
		[AT_LAN_RETURN] = "lan-return",
		[AT_LAN_INTERFACE_RETURN] = "lan-interface-return",
		[AT_GATEWAY_RETURN] = "gateway-return",
		[AT_MESH_INTERFACE_RETURN] = "mesh-interface-return",
		[AT_TUNNEL_RETURN] = "tunnel-return",
	};
	return names[at];
}

const char *verdict_attribute(const struct verdict *v, const char *name)
{
	for (size_t i = 0; i < v->n_attributes; i++)
		if (!strcmp(v->attributes[i].name, name))
			return v->attributes[i].value;
	return nullptr;
}
