/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/api_probe.h"

#define FIELD SD_VARLINK_DEFINE_FIELD
#define INPUT SD_VARLINK_DEFINE_INPUT
#define OUTPUT SD_VARLINK_DEFINE_OUTPUT
#define NOTE SD_VARLINK_FIELD_COMMENT

static SD_VARLINK_DEFINE_METHOD(Ask, NOTE("An address"), INPUT(target, SD_VARLINK_STRING, 0),
	INPUT(port, SD_VARLINK_INT, 0),
	NOTE("Name for TLS (SNI, certificate) and for HTTP (Host); null: the address"),
	INPUT(host, SD_VARLINK_STRING, SD_VARLINK_NULLABLE), NOTE("Of HTTP; null: /"),
	INPUT(path, SD_VARLINK_STRING, SD_VARLINK_NULLABLE), NOTE("http or https"),
	INPUT(scheme, SD_VARLINK_STRING, 0),
	NOTE("Address and interface that the connection leaves by; null: as routes say"),
	INPUT(source, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	INPUT(interface, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	NOTE("What the certificate must name, where that is not the host; a name or an address"),
	INPUT(serverName, SD_VARLINK_STRING, SD_VARLINK_NULLABLE),
	NOTE("Whom it must be of, PEM; null: the system's authorities"),
	INPUT(ca, SD_VARLINK_STRING, SD_VARLINK_NULLABLE), INPUT(timeoutMs, SD_VARLINK_INT, 0),
	NOTE("Of kinds l7 and missing"), OUTPUT(facts, SD_VARLINK_OBJECT, SD_VARLINK_ARRAY));

static SD_VARLINK_DEFINE_METHOD(Resolve, INPUT(name, SD_VARLINK_STRING, 0),
	INPUT(timeoutMs, SD_VARLINK_INT, 0), NOTE("In the order of getaddrinfo(3)"),
	OUTPUT(addresses, SD_VARLINK_STRING, SD_VARLINK_ARRAY), NOTE("Why there is none"),
	OUTPUT(facts, SD_VARLINK_OBJECT, SD_VARLINK_ARRAY));

const sd_varlink_interface api_probe_interface = {
	.name = API_PROBE_INTERFACE,
	.symbols =
		{
			SD_VARLINK_INTERFACE_COMMENT(
				"What foreign programs say when they are spoken to"),
			SD_VARLINK_SYMBOL_COMMENT("Speaks to a service"),
			&vl_method_Ask,
			SD_VARLINK_SYMBOL_COMMENT("Asks for the addresses of a name"),
			&vl_method_Resolve,
			nullptr,
		},
};
