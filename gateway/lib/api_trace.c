/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/api_trace.h"

#define FIELD SD_VARLINK_DEFINE_FIELD
#define INPUT SD_VARLINK_DEFINE_INPUT
#define INPUT_OF SD_VARLINK_DEFINE_INPUT_BY_TYPE
#define OUTPUT SD_VARLINK_DEFINE_OUTPUT
#define NOTE SD_VARLINK_FIELD_COMMENT

static SD_VARLINK_DEFINE_STRUCT_TYPE(Injection, NOTE("After the first reply"),
	FIELD(atMs, SD_VARLINK_INT, 0), NOTE("syn, udp or echo"), FIELD(kind, SD_VARLINK_STRING, 0),
	NOTE("Of an echo: its identifier"), FIELD(sourcePort, SD_VARLINK_INT, 0),
	NOTE("Of an echo: its sequence number"), FIELD(port, SD_VARLINK_INT, 0), NOTE("null: 64"),
	FIELD(ttl, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	NOTE("Of the IP packet, at most 1500; null: as small as it gets"),
	FIELD(size, SD_VARLINK_INT, SD_VARLINK_NULLABLE),
	FIELD(dontFragment, SD_VARLINK_BOOL, SD_VARLINK_NULLABLE));

static SD_VARLINK_DEFINE_METHOD_FULL(Observe, SD_VARLINK_REQUIRES_MORE, NOTE("4 or 6"),
	INPUT(family, SD_VARLINK_INT, 0), NOTE("IPPROTO_TCP, _UDP, _ICMP or _ICMPV6"),
	INPUT(proto, SD_VARLINK_INT, 0), NOTE("What is injected comes from this address"),
	INPUT(client, SD_VARLINK_STRING, 0),
	NOTE("Source ports, identifiers of echoes, by which the diagnosis' own packets are known"),
	INPUT(ports, SD_VARLINK_INT, SD_VARLINK_ARRAY),
	NOTE("Prefixes; packets from these to target and port are the mesh's own"),
	INPUT(ranges, SD_VARLINK_STRING, SD_VARLINK_ARRAY), INPUT(target, SD_VARLINK_STRING, 0),
	NOTE("0 for ICMP"), INPUT(port, SD_VARLINK_INT, 0),
	NOTE("Address that the gateway's own probes come from"),
	INPUT(own, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	NOTE("Address of the ranges that meshgwd's probes of the way back come from"),
	INPUT(prober, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	INPUT(meshInterface, SD_VARLINK_STRING, 0),
	INPUT(lanInterfaces, SD_VARLINK_STRING, SD_VARLINK_ARRAY), NOTE("At most 15000"),
	INPUT(durationMs, SD_VARLINK_INT, 0), INPUT_OF(inject, Injection, SD_VARLINK_ARRAY),
	NOTE("All so far, of the kinds packet, icmp, drop and missing"),
	OUTPUT(facts, SD_VARLINK_OBJECT, SD_VARLINK_ARRAY), OUTPUT(done, SD_VARLINK_BOOL, 0));

const sd_varlink_interface api_trace_interface = {
	.name = API_TRACE_INTERFACE,
	.symbols =
		{
			SD_VARLINK_INTERFACE_COMMENT("Packets and drops of one flow"),
			SD_VARLINK_SYMBOL_COMMENT("A packet that enters by the mesh interface"),
			&vl_type_Injection,
			SD_VARLINK_SYMBOL_COMMENT("Looks at one flow, and injects packets of it"),
			&vl_method_Observe,
			nullptr,
		},
};
