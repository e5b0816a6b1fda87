/* SPDX-License-Identifier: Apache-2.0 */
#include "frr/show_json.h"
#include "lib/escape.h"
#include "lib/marks.h"
#include <stdlib.h>
#include <string.h>

sd_json_variant *show_parse(struct frr_answer answer)
{
	sd_json_variant *v = nullptr;
	char *text = answer.text ? strndup(answer.text, answer.len) : nullptr;
	if (text && sd_json_parse(text, 0, &v, nullptr, nullptr) < 0)
		v = nullptr;
	free(text);
	return v;
}

/* ---- Values ---- */

static sd_json_variant *get(sd_json_variant *v, const char *key)
{
	return sd_json_variant_is_object(v) ? sd_json_variant_by_key(v, key) : nullptr;
}

static bool get_bool(sd_json_variant *v, const char *key)
{
	sd_json_variant *found = get(v, key);
	return found && sd_json_variant_is_boolean(found) && sd_json_variant_boolean(found);
}

static uint64_t get_u64(sd_json_variant *v, const char *key)
{
	sd_json_variant *found = get(v, key);
	return found && sd_json_variant_is_unsigned(found) ? sd_json_variant_unsigned(found) : 0;
}

static uint32_t get_u32(sd_json_variant *v, const char *key)
{
	uint64_t value = get_u64(v, key);
	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static const char *get_text(sd_json_variant *v, const char *key)
{
	sd_json_variant *found = get(v, key);
	return found && sd_json_variant_is_string(found) ? sd_json_variant_string(found) : "";
}

static void copy_text(sd_json_variant *v, const char *key, char *out, size_t size)
{
	const char *text = get_text(v, key);
	escape_text(text, strlen(text), out, size);
}

/* The value of the n-th name of an object. */
static sd_json_variant *value_at(sd_json_variant *v, size_t n)
{
	return sd_json_variant_by_index(v, 2 * n + 1);
}

static const char *key_at(sd_json_variant *v, size_t n)
{
	return sd_json_variant_string(sd_json_variant_by_index(v, 2 * n));
}

static size_t names(sd_json_variant *v)
{
	return sd_json_variant_is_object(v) ? sd_json_variant_elements(v) / 2 : 0;
}

/* ---- Sessions ---- */

static const char *const states[FRR_SESSION_STATES] = {
	[FRR_SESSION_UNKNOWN] = "Unknown",
	[FRR_SESSION_IDLE] = "Idle",
	[FRR_SESSION_CONNECT] = "Connect",
	[FRR_SESSION_ACTIVE] = "Active",
	[FRR_SESSION_OPENSENT] = "OpenSent",
	[FRR_SESSION_OPENCONFIRM] = "OpenConfirm",
	[FRR_SESSION_ESTABLISHED] = "Established",
};

const char *frr_session_state_str(enum frr_session_state state)
{
	return states[state];
}

/* FRR's Clearing and Deleted lead to Idle. */
static enum frr_session_state parse_state(const char *text)
{
	for (size_t i = FRR_SESSION_IDLE; i < FRR_SESSION_STATES; i++)
		if (strcmp(text, states[i]) == 0)
			return (enum frr_session_state)i;
	return *text ? FRR_SESSION_IDLE : FRR_SESSION_UNKNOWN;
}

static void read_family(sd_json_variant *v, struct frr_session_family *out)
{
	if (!v)
		return;
	out->active = true;
	out->policy_missing_in = get(v, "inboundEbgpRequiresPolicy");
	out->policy_missing_out = get(v, "outboundEbgpRequiresPolicy");
	out->default_sent = get_bool(v, "defaultSent");
	out->accepted = get_u32(v, "acceptedPrefixCounter");
	out->sent = get_u32(v, "sentPrefixCounter");
}

/* "0602": code and subcode, two hexadecimal digits each. */
static void read_notification(sd_json_variant *v, struct frr_reset *out)
{
	const char *text = get_text(v, "lastErrorCodeSubcode");
	if (strlen(text) != 4 || strspn(text, "0123456789abcdefABCDEF") != 4)
		return;
	unsigned long value = strtoul(text, nullptr, 16);
	out->code = (uint8_t)(value >> 8);
	out->subcode = (uint8_t)value;
}

static void read_reset(sd_json_variant *v, struct frr_reset *out)
{
	if (!get(v, "lastResetDueTo"))
		return;
	out->known = true;
	out->age_ms = get_u64(v, "lastResetTimerMsecs");
	copy_text(v, "lastResetDueTo", out->due_to, sizeof(out->due_to));
	copy_text(v, "lastNotificationReason", out->notification, sizeof(out->notification));
	out->received = strcmp(out->due_to, "BGP Notification received") == 0;
	read_notification(v, out);
}

static void read_neighbor(sd_json_variant *v, struct frr_session *out)
{
	sd_json_variant *families = get(v, "addressFamilyInfo"), *stats = get(v, "messageStats"),
			*bfd = get(v, "peerBfdInfo");
	out->state = parse_state(get_text(v, "bgpState"));
	out->admin_down = get_bool(v, "adminShutDown");
	out->remote_as = get_u32(v, "remoteAs");
	if (out->state == FRR_SESSION_ESTABLISHED)
		out->uptime_ms = get_u64(v, "bgpTimerUpMsec");
	read_family(get(families, "ipv4Unicast"), &out->family[0]);
	read_family(get(families, "ipv6Unicast"), &out->family[1]);
	out->established = get_u32(v, "connectionsEstablished");
	out->dropped = get_u32(v, "connectionsDropped");
	out->notifications_sent = get_u32(stats, "notificationsSent");
	out->notifications_received = get_u32(stats, "notificationsRecv");
	read_reset(v, &out->reset);
	out->has_bfd = bfd;
	out->bfd_up = strcmp(get_text(bfd, "status"), "Up") == 0;
	if (addr_parse(get_text(v, "nexthopGlobal"), &out->next_hop6) < 0)
		out->next_hop6 = (struct addr){};
	if (prefix_parse(get_text(v, "peerSubnetRangeGroup"), &out->listen_range) < 0)
		out->listen_range = (struct prefix){};
}

void show_read_session(sd_json_variant *v, struct frr_session *out)
{
	for (size_t i = 0; i < names(v); i++) {
		struct addr address;
		if (addr_parse(key_at(v, i), &address) == 0 &&
			addr_cmp(&address, &out->address) == 0)
			read_neighbor(value_at(v, i), out);
	}
}

/* ---- Prefixes ---- */

static sd_json_variant *at_prefix(sd_json_variant *v, const struct prefix *prefix)
{
	for (size_t i = 0; i < names(v); i++) {
		struct prefix found;
		if (prefix_parse(key_at(v, i), &found) == 0 && prefix_cmp(&found, prefix) == 0)
			return value_at(v, i);
	}
	return nullptr;
}

static size_t elements(sd_json_variant *v)
{
	return sd_json_variant_is_array(v) ? sd_json_variant_elements(v) : 0;
}

static void read_static(sd_json_variant *v, struct frr_prefix_state *out)
{
	if (get_u64(v, "tag") != MARK_FRR_TAG) {
		out->static_foreign = true;
		return;
	}
	out->static_ours = true;
	out->static_selected = get_bool(v, "selected");
	out->static_installed = get_bool(v, "installed");
}

void show_read_route(sd_json_variant *v, struct frr_prefix_state *out)
{
	sd_json_variant *list = at_prefix(v, &out->prefix);
	for (size_t i = 0; i < elements(list); i++) {
		sd_json_variant *route = sd_json_variant_by_index(list, i);
		sd_json_variant *hops = get(route, "nexthops");
		out->in_rib = true;
		if (strcmp(get_text(route, "protocol"), "static") == 0)
			read_static(route, out);
		if (!get_bool(route, "selected"))
			continue;
		copy_text(route, "protocol", out->selected, sizeof(out->selected));
		if (elements(hops))
			copy_text(sd_json_variant_by_index(hops, 0), "interfaceName",
				out->interface, sizeof(out->interface));
	}
}

void show_read_bgp(sd_json_variant *v, struct frr_prefix_state *out,
	void (*advertised)(void *userdata, const char *peer), void *userdata)
{
	struct prefix found;
	sd_json_variant *paths = get(v, "paths"), *to = get(v, "advertisedTo");
	if (prefix_parse(get_text(v, "prefix"), &found) < 0 ||
		prefix_cmp(&found, &out->prefix) != 0)
		return;
	for (size_t i = 0; i < elements(paths); i++) {
		sd_json_variant *path = sd_json_variant_by_index(paths, i);
		out->in_bgp |= get_bool(path, "local") && get_bool(path, "valid") &&
			       get_bool(get(path, "bestpath"), "overall");
	}
	for (size_t i = 0; i < names(to); i++)
		advertised(userdata, key_at(to, i));
}
