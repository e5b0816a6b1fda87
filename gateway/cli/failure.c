/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/failure.h"
#include "cli/reply.h"
#include "lib/api.h"
#include "lib/escape.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-varlink.h>

enum exit_status failure_set(struct failure *f, enum exit_status status, const char *fmt, ...)
{
	char text[sizeof(f->message)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	escape_text(text, strlen(text), f->message, sizeof(f->message));
	f->status = status;
	snprintf(f->id, sizeof(f->id), "%s", exit_status_id(status));
	return status;
}

struct row {
	const char *id;
	enum exit_status status;
	const char *sentence;
	/* Makes the sentence where parameters are part of it. */
	enum exit_status (*explain)(
		struct failure *f, const struct row *row, sd_json_variant *parameters);
};

static enum exit_status explain_message(
	struct failure *f, const struct row *row, sd_json_variant *parameters)
{
	const char *message = sd_json_variant_string(sd_json_variant_by_key(parameters, "message"));

	return failure_set(f, row->status, "%s: %s", row->sentence,
		message ? message : "meshgwd gives no reason");
}

static enum exit_status explain_config(
	struct failure *f, const struct row *row, sd_json_variant *parameters)
{
	struct list diagnostics = {};
	uint64_t n;

	if (diagnostics_read(parameters, &diagnostics, &n) < 0)
		return failure_set(f, EXIT_PROTOCOL,
			"meshgwd refuses the configuration with reasons that make no sense");
	list_clear(&diagnostics);
	return failure_set(f, row->status, "the configuration has %" PRIu64 " mistake%s", n,
		n == 1 ? "" : "s");
}

static enum exit_status explain_pending(
	struct failure *f, const struct row *row, sd_json_variant *parameters)
{
	sd_json_variant *pending = sd_json_variant_by_key(parameters, "pending");
	sd_json_variant *left = sd_json_variant_by_key(pending, "remainingSeconds");
	char within[48] = "";

	if (left && sd_json_variant_is_unsigned(left))
		snprintf(within, sizeof(within), " within %" PRIu64 " s",
			sd_json_variant_unsigned(left));
	return failure_set(f, row->status,
		"another change waits for its confirmation%s: keep it with meshgw confirm, "
		"or go back with meshgw undo",
		within);
}

static enum exit_status explain_parameter(
	struct failure *f, const struct row *row, sd_json_variant *parameters)
{
	const char *name = sd_json_variant_string(sd_json_variant_by_key(parameters, "parameter"));

	return failure_set(
		f, row->status, "meshgwd does not take the parameter %s", name ? name : "?");
}

static enum exit_status explain_system(
	struct failure *f, const struct row *row, sd_json_variant *parameters)
{
	sd_json_variant *number = sd_json_variant_by_key(parameters, "errno");
	int64_t code = number && sd_json_variant_is_integer(number)
			       ? sd_json_variant_integer(number)
			       : 0;

	if (code <= 0 || code > 4095)
		return failure_set(f, row->status, "meshgwd failed and gives no reason");
	return failure_set(f, row->status, "meshgwd: %s", strerror((int)code));
}

static const struct row table[] = {
	{API_ERROR_CONFIG_INVALID, EXIT_CONFIG, nullptr, explain_config},
	{API_ERROR_CONFIRM_PENDING, EXIT_CONFLICT, nullptr, explain_pending},
	{API_ERROR_NOTHING_PENDING, EXIT_CONFLICT, "no change waits for a confirmation", nullptr},
	{API_ERROR_NOTHING_TO_UNDO, EXIT_CONFLICT, "there is no configuration to go back to",
		nullptr},
	{API_ERROR_NOT_CONFIGURED, EXIT_DOWN,
		"nothing is configured: write /etc/meshgw/meshgw.yaml and run meshgw apply",
		nullptr},
	{API_ERROR_APPLY_FAILED, EXIT_REFUSED, "the operation failed", explain_message},
	{API_ERROR_DOWN_INCOMPLETE, EXIT_REFUSED, "not everything could be removed",
		explain_message},
	{API_ERROR_TARGET_INVALID, EXIT_REFUSED, "no diagnosis", explain_message},
	{API_ERROR_NOT_FIXABLE, EXIT_REFUSED, "nothing was repaired", explain_message},
	{API_ERROR_BUSY, EXIT_REFUSED, "not now", explain_message},
	{API_ERROR_NOT_EDGE, EXIT_REFUSED,
		"this host is no edge: tunnel.edge is not configured, or it is taken down",
		nullptr},
	{API_ERROR_NOT_PROMOTED, EXIT_REFUSED, "nothing was promoted", explain_message},
	{API_ERROR_NOT_WATCHING, EXIT_REFUSED, "flows are not watched", explain_message},
	{SD_VARLINK_ERROR_PERMISSION_DENIED, EXIT_PERMISSION,
		"meshgwd does not permit this: run as root", nullptr},
	{SD_VARLINK_ERROR_METHOD_NOT_FOUND, EXIT_REFUSED,
		"meshgwd does not know this request; is it of an older version?", nullptr},
	{SD_VARLINK_ERROR_INTERFACE_NOT_FOUND, EXIT_PROTOCOL,
		"what answers on the socket is not meshgwd", nullptr},
	{SD_VARLINK_ERROR_INVALID_PARAMETER, EXIT_REFUSED, nullptr, explain_parameter},
	{SD_VARLINK_ERROR_SYSTEM, EXIT_REFUSED, nullptr, explain_system},
};

enum exit_status failure_from_error(struct failure *f, const char *id, sd_json_variant *parameters)
{
	constexpr size_t rows = sizeof(table) / sizeof(table[0]);
	size_t i = 0;

	while (i < rows && strcmp(table[i].id, id) != 0)
		i++;
	if (i == rows)
		failure_set(f, EXIT_REFUSED, "meshgwd answers with the error %s", id);
	else if (table[i].explain)
		table[i].explain(f, &table[i], parameters);
	else
		failure_set(f, table[i].status, "%s", table[i].sentence);
	escape_text(id, strlen(id), f->id, sizeof(f->id));
	sd_json_variant_unref(f->parameters);
	f->parameters = sd_json_variant_ref(parameters);
	return f->status;
}

void failure_clear(struct failure *f)
{
	sd_json_variant_unref(f->parameters);
	*f = (struct failure){};
}
