/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meshgw-probe: speaks to foreign services for a diagnosis. Started by its socket for one
 * connection of meshgwd (Accept=yes), it answers calls of io.meshgw.Probe and ends with the
 * connection. It has no privileges, and blocks while it asks: there is nobody else to serve.
 */
#include "lib/api_probe.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include "probe/ask.h"
#include "probe/resolve.h"
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <systemd/sd-varlink.h>

struct parameters {
	const char *target, *host, *path, *scheme, *source, *interface, *name, *server_name, *ca;
	uint16_t port;
	uint32_t timeout_ms;
};

static sd_json_variant *list_facts(const struct evidence *facts)
{
	sd_json_variant *list = nullptr;

	if (sd_json_variant_new_array(&list, nullptr, 0) < 0)
		out_of_memory();
	for (size_t i = 0; i < facts->n; i++) {
		autojson sd_json_variant *v = nullptr;
		if (fact_to_json(&facts->facts[i], &v) < 0 ||
			sd_json_variant_append_array(&list, v) < 0)
			out_of_memory();
	}
	return list;
}

/* What goes into a URL or an option of libcurl must not mean anything there. */
static bool is_word(const char *text)
{
	return !text || (text[0] && !text[strcspn(text, " \t\r\n@/\\?#!%\"'<>")]);
}

static bool is_path(const char *text)
{
	if (!text)
		return true;
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return text[0] == '/' && strlen(text) < 512;
}

static bool is_address(const char *text)
{
	struct addr a;
	return text && addr_parse(text, &a) == 0;
}

static bool is_host(const char *text)
{
	return is_word(text) && (!text || (strlen(text) <= 253 && !strchr(text, ':')));
}

static const char *wrong_parameter(const struct parameters *p)
{
	if (!is_address(p->target))
		return "target";
	if (!p->port)
		return "port";
	if (strcmp(p->scheme, "http") != 0 && strcmp(p->scheme, "https") != 0)
		return "scheme";
	if (p->source && !is_address(p->source))
		return "source";
	if (!is_word(p->interface) || (p->interface && strlen(p->interface) >= IFNAMSIZ))
		return "interface";
	if (!is_host(p->host))
		return "host";
	if (!is_path(p->path))
		return "path";
	if (!is_address(p->server_name) && !is_host(p->server_name))
		return "serverName";
	if (p->ca && strlen(p->ca) > API_PROBE_CA_MAX)
		return "ca";
	return p->timeout_ms < 1 || p->timeout_ms > API_PROBE_TIMEOUT_MAX_MS ? "timeoutMs"
									     : nullptr;
}

static int on_ask(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *)
{
	static const sd_json_dispatch_field fields[] = {
		{"target", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct parameters, target), SD_JSON_MANDATORY},
		{"port", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint16,
			offsetof(struct parameters, port), SD_JSON_MANDATORY},
		{"host", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct parameters, host), SD_JSON_NULLABLE},
		{"path", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct parameters, path), SD_JSON_NULLABLE},
		{"scheme", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct parameters, scheme), SD_JSON_MANDATORY},
		{"source", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct parameters, source), SD_JSON_NULLABLE},
		{"interface", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct parameters, interface), SD_JSON_NULLABLE},
		{"serverName", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct parameters, server_name), SD_JSON_NULLABLE},
		{"ca", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct parameters, ca), SD_JSON_NULLABLE},
		{"timeoutMs", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint32,
			offsetof(struct parameters, timeout_ms), SD_JSON_MANDATORY},
		{},
	};
	struct parameters p = {};
	struct evidence facts = {};
	int r = sd_varlink_dispatch(link, parameters, fields, &p);
	if (r != 0)
		return r;
	const char *wrong = wrong_parameter(&p);
	if (wrong)
		return sd_varlink_error_invalid_parameter_name(link, wrong);
	ask_service(&(struct ask){.target = p.target,
			    .port = p.port,
			    .host = p.host,
			    .path = p.path ? p.path : "/",
			    .tls = !strcmp(p.scheme, "https"),
			    .source = p.source,
			    .interface = p.interface,
			    .server_name = p.server_name,
			    .ca = p.ca,
			    .timeout_us = p.timeout_ms * 1000ULL},
		&facts);
	autojson sd_json_variant *list = list_facts(&facts);
	evidence_clear(&facts);
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("facts", list));
}

static int on_resolve(
	sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t, void *)
{
	static const sd_json_dispatch_field fields[] = {
		{"name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
			offsetof(struct parameters, name), SD_JSON_MANDATORY},
		{"timeoutMs", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint32,
			offsetof(struct parameters, timeout_ms), SD_JSON_MANDATORY},
		{},
	};
	struct parameters p = {};
	struct evidence facts = {};
	struct addr found[RESOLVE_MAX];
	autojson sd_json_variant *addresses = nullptr;
	int r = sd_varlink_dispatch(link, parameters, fields, &p);
	if (r != 0)
		return r;
	if (!is_word(p.name) || strlen(p.name) > 253)
		return sd_varlink_error_invalid_parameter_name(link, "name");
	if (p.timeout_ms < 1 || p.timeout_ms > API_PROBE_TIMEOUT_MAX_MS)
		return sd_varlink_error_invalid_parameter_name(link, "timeoutMs");
	size_t n = resolve_name(p.name, p.timeout_ms * 1000ULL, found, &facts);
	if (sd_json_variant_new_array(&addresses, nullptr, 0) < 0)
		out_of_memory();
	for (size_t i = 0; i < n; i++) {
		char text[ADDR_STRLEN];
		if (sd_json_variant_append_arrayb(
			    &addresses, SD_JSON_BUILD_STRING(addr_str(&found[i], text))) < 0)
			out_of_memory();
	}
	autojson sd_json_variant *list = list_facts(&facts);
	evidence_clear(&facts);
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("addresses", addresses),
		SD_JSON_BUILD_PAIR_VARIANT("facts", list));
}

static void on_disconnect(sd_varlink_server *, sd_varlink *, void *userdata)
{
	(void)sd_event_exit(userdata, 0);
}

static int serve(sd_event *event, sd_varlink_server *server)
{
	int r = sd_varlink_server_add_interface(server, &api_probe_interface);

	if (r >= 0)
		r = sd_varlink_server_bind_method(server, API_PROBE_ASK, on_ask);
	if (r >= 0)
		r = sd_varlink_server_bind_method(server, API_PROBE_RESOLVE, on_resolve);
	if (r >= 0)
		r = sd_varlink_server_bind_disconnect(server, on_disconnect);
	sd_varlink_server_set_userdata(server, event);
	if (r >= 0)
		r = sd_varlink_server_attach_event(server, event, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = sd_varlink_server_add_connection(server, SD_LISTEN_FDS_START, nullptr);
	return r < 0 ? r : sd_event_loop(event);
}

int main(void)
{
	sd_event *event = nullptr;
	sd_varlink_server *server = nullptr;

	if (sd_listen_fds(true) != 1) {
		log_err("probe",
			"meshgw-probe is started by meshgw-probe.socket, for a connection");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	int r = sd_event_default(&event);
	if (r >= 0)
		r = sd_varlink_server_new(&server, 0);
	if (r >= 0)
		r = serve(event, server);
	sd_varlink_server_unref(server);
	sd_event_unref(event);
	if (r < 0)
		log_err("probe", "%s", strerror(-r));
	return r < 0 ? 1 : 0;
}
