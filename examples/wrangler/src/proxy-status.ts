// SPDX-License-Identifier: Apache-2.0
//
// Proxy-Status (RFC 9209): what each intermediary between the service and us did with the answer.
//
//	Proxy-Status: meshgw-gw1; error=connection_timeout; details="return-route-missing; diag=01J…"

import { parseList } from "./structured-field.ts";

export interface ProxyStatus {
	/** What the intermediary calls itself. */
	proxy: string;
	/** A proxy error type, "connection_timeout", if it failed to get an answer. */
	error: string | null;
	details: string | null;
}

/** From the intermediary next to the service to the one next to us; a bad field counts as none. */
export function parseProxyStatus(field: string | null): ProxyStatus[] {
	const items = parseList(field ?? "") ?? [];
	if (items.some(({ type }) => type !== "token" && type !== "string")) {
		return [];
	}
	return items.map(({ value, parameters }) => {
		const error = parameters.get("error");
		const details = parameters.get("details");
		return {
			proxy: value,
			error: error?.type === "token" ? error.value : null,
			details: details?.type === "string" ? details.value : null,
		};
	});
}
