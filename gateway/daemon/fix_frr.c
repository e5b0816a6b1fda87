/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/fix_frr.h"
#include "lib/xmalloc.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

constexpr size_t COMMAND_LEN = 512;

/* Words of FRR's that mean nothing to a shell in single quotes, nor to vtysh. */
static bool is_plain(const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789_./:- ";
	return text[0] && !text[strspn(text, plain)];
}

static bool say(const struct frr_finding *f, uint32_t asn, char out[static COMMAND_LEN])
{
	char prefix[PREFIX_STRLEN];

	switch (f->code) {
	case FRR_FOUND_FOREIGN_STATIC:
		/* It may be cut. */
		if (!is_plain(f->text) || strlen(f->text) >= sizeof(f->text) - 1)
			return false;
		snprintf(out, COMMAND_LEN, "vtysh -c 'configure terminal' -c 'no %s'", f->text);
		return true;
	case FRR_FOUND_FOREIGN_NETWORK:
		snprintf(out, COMMAND_LEN,
			"vtysh -c 'configure terminal' -c 'router bgp %" PRIu32
			"' -c 'address-family %s unicast' -c 'no network %s'",
			asn, f->prefix.addr.family == AF_INET ? "ipv4" : "ipv6",
			prefix_str(&f->prefix, prefix));
		return true;
	default:
		return false;
	}
}

/* The number that runs, where it is not ours. */
static uint32_t running_asn(const struct frr_sync *frr)
{
	for (size_t i = 0; i < frr->diff.n_findings; i++)
		if (frr->diff.findings[i].code == FRR_FOUND_OTHER_ASN)
			return frr->diff.findings[i].asn;
	return frr->config->bgp.asn;
}

sd_json_variant *fix_frr_commands(const struct frr_sync *frr)
{
	sd_json_variant *list = nullptr;
	char command[COMMAND_LEN];

	if (!frr || !frr->config || !frr->view.answered)
		return nullptr;
	for (size_t i = 0; i < frr->diff.n_findings; i++)
		if (say(&frr->diff.findings[i], running_asn(frr), command) &&
			sd_json_variant_append_arrayb(&list, SD_JSON_BUILD_STRING(command)) < 0)
			out_of_memory();
	return list;
}
