/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/exit.h"

static const struct {
	const char *id;
	const char *meaning;
} table[EXIT_STATUSES] = {
	[EXIT_DONE] = {"io.meshgw.Client.Done", "done; for status, doctor and diagnose: healthy"},
	[EXIT_REFUSED] = {"io.meshgw.Client.Failed", "refused, or failed"},
	[EXIT_USAGE] = {"io.meshgw.Client.Usage", "wrong usage"},
	[EXIT_UNREACHABLE] = {"io.meshgw.Client.Unreachable", "meshgwd is not running"},
	[EXIT_TIMEOUT] = {"io.meshgw.Client.Timeout", "meshgwd does not answer in time"},
	[EXIT_PERMISSION] = {"io.meshgw.Client.Permission", "permission denied"},
	[EXIT_CONFIG] = {"io.meshgw.Client.ConfigInvalid", "the configuration has mistakes"},
	[EXIT_FILE] = {"io.meshgw.Client.Unreadable", "the file cannot be read"},
	[EXIT_CONFLICT] = {"io.meshgw.Client.Conflict",
		"a confirmation is pending; or there is nothing to confirm or undo"},
	[EXIT_UNHEALTHY] = {"io.meshgw.Client.Unhealthy",
		"status: a condition is an error; doctor: a check failed"},
	[EXIT_DOWN] = {"io.meshgw.Client.Down", "taken down, or not configured"},
	[EXIT_TOO_LARGE] = {"io.meshgw.Client.TooLarge", "the file is too large"},
	[EXIT_PROTOCOL] = {"io.meshgw.Client.Protocol", "the answer of meshgwd is not valid"},
	[EXIT_CAUSE_NODE] = {"io.meshgw.Client.CauseNode",
		"diagnose: the cause is on this gateway"},
	[EXIT_CAUSE_LAN] = {"io.meshgw.Client.CauseLan",
		"diagnose: the cause is between the gateway and the service"},
	[EXIT_CAUSE_SERVICE] = {"io.meshgw.Client.CauseService",
		"diagnose: the cause is the service or its host"},
	[EXIT_CAUSE_TUNNEL] = {"io.meshgw.Client.CauseTunnel",
		"diagnose: the cause is before the gateway"},
	[EXIT_UNDECIDED] = {"io.meshgw.Client.Undecided", "diagnose: the evidence is not enough"},
	[EXIT_NO_CONSENT] = {"io.meshgw.Client.NoConsent", "fix: nobody said yes"},
};

const char *exit_status_id(enum exit_status status)
{
	return table[status].id;
}

const char *exit_status_str(enum exit_status status)
{
	return table[status].meaning;
}
