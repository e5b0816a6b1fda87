/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * code_part: the table of codes, in the parts that a flow passes. Private to this room.
 *
 * Rules for its texts: plain words for whoever runs the gateway or writes the Worker; a title says
 * what is wrong with the flow, an evidence what proves it, a remedy what to do. Commands are for
 * root on this gateway, in the form of verdict/template.h; what is to be done elsewhere is said by
 * the remedy alone. No backslash, and no name of a product in a name of a code.
 */
#include "verdict/code.h"

extern const struct code_row code_part_tunnel[];  /* from CODE_TUNNEL_INTERFACE_MISSING */
extern const struct code_row code_part_path[];    /* from CODE_FORWARDING_DISABLED */
extern const struct code_row code_part_filter[];  /* from CODE_NOT_ALLOWED */
extern const struct code_row code_part_link[];    /* from CODE_LAN_INTERFACE_MISSING */
extern const struct code_row code_part_lan[];     /* from CODE_UPSTREAM_SILENT */
extern const struct code_row code_part_service[]; /* from CODE_SERVICE_PORT_CLOSED */
