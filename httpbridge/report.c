/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"
#include "lib/api.h"
#include "lib/call.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xmalloc.h"
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-varlink.h>

constexpr uint64_t PATIENCE_US = 5'000'000;
constexpr uint64_t AGAIN_US = 1'000'000;

struct report {
	sd_event *event;
	const char *socket;
	struct call *call;
	sd_event_source *again;
	sd_json_variant *parameters;
};

static void begin(struct report *r);

static int on_again(sd_event_source *, uint64_t, void *userdata)
{
	struct report *r = userdata;

	r->again = sd_event_source_disable_unref(r->again);
	begin(r);
	return 0;
}

static void on_done(void *arg, sd_json_variant *, const char *error)
{
	struct report *r = arg;

	r->call = nullptr;
	if (!error)
		return;
	log_debug("report", "meshgwd did not take it: %s", error);
	/* One that does not know the method will not learn it. */
	if (strcmp(error, SD_VARLINK_ERROR_METHOD_NOT_FOUND) == 0)
		return;
	if (sd_event_add_time_relative(
		    r->event, &r->again, CLOCK_MONOTONIC, AGAIN_US, 0, on_again, r) < 0)
		out_of_memory();
}

static void begin(struct report *r)
{
	const struct call_request request = {.socket = r->socket,
		.method = API_INTERFACE ".BridgeReport",
		.parameters = r->parameters,
		.timeout_us = PATIENCE_US,
		.done = on_done,
		.arg = r};

	if (call_new(r->event, &request, &r->call) < 0)
		on_done(r, nullptr, SD_VARLINK_ERROR_DISCONNECTED);
}

void report_stop(struct report *r)
{
	call_cancel(r->call);
	r->call = nullptr;
	r->again = sd_event_source_disable_unref(r->again);
}

void report_tell(struct report *r, uint64_t generation, const char *refusal)
{
	report_stop(r);
	r->parameters = sd_json_variant_unref(r->parameters);
	if (sd_json_buildo(&r->parameters, SD_JSON_BUILD_PAIR_UNSIGNED("generation", generation),
		    SD_JSON_BUILD_PAIR_CONDITION(
			    refusal != nullptr, "refusal", SD_JSON_BUILD_STRING(refusal))) < 0)
		out_of_memory();
	begin(r);
}

struct report *report_new(sd_event *event, const char *socket)
{
	struct report *r = xcalloc(1, sizeof(*r));

	r->event = sd_event_ref(event);
	r->socket = socket;
	return r;
}

void report_free(struct report *r)
{
	if (!r)
		return;
	report_stop(r);
	sd_json_variant_unref(r->parameters);
	sd_event_unref(r->event);
	free(r);
}
