// SPDX-License-Identifier: Apache-2.0
//
// What a failed call looks like from a Worker: how each of the three forms is told from an answer
// of the service's, and what it says in the words of RFC 9209 ("connection_timeout").

import { parseProxyStatus } from "./proxy-status.ts";
import { readText } from "./read.ts";

// A service's own errors of this status pass through as well: they must not wait long.
const PROXY_ERROR_MAX = 128;
const PROXY_ERROR_MS = 1000;
const PROXY_ERROR = /^ProxyError: ([a-z]+(?:_[a-z]+)*)\s*$/;

// What is thrown is written for people. These are the texts that were seen, and what they mean.
const THROWN: [RegExp, string][] = [
	[/\bhandshake timeout\b/i, "connection_timeout"],
	[/\bconnection refused\b/i, "connection_refused"],
	[/\bnetwork connection lost\b/i, "connection_terminated"],
	[/\bcannot connect to the specified address\b/i, "destination_unavailable"],
	[/\bDNS\b.*\bfailed\b/i, "dns_error"],
	[/\btimed out\b/i, "connection_timeout"],
];
// An error code of Workers VPC that stands alone or behind "ProxyError: ".
const THROWN_CODE = /(?:^|\bProxyError: )([a-z]+(?:_[a-z]+)+)\s*$/;
const UNKNOWN = "proxy_internal_error";

/** An intermediary that answers in the service's place. */
export interface FailedProxy {
	proxy: string;
	error: string;
	details: string | null;
	/** The whole field. */
	field: string;
}

export function textOfThrown(thrown: unknown): string {
	return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}

export function typeOfThrown(thrown: unknown): string {
	// What AbortSignal.timeout() aborts with need not be an Error.
	if ((thrown as { name?: unknown } | null | undefined)?.name === "TimeoutError") {
		return "http_response_timeout";
	}
	const message = thrown instanceof Error ? thrown.message : String(thrown);
	return (
		THROWN_CODE.exec(message)?.[1] ??
		THROWN.find(([pattern]) => pattern.test(message))?.[1] ??
		UNKNOWN
	);
}

function mediaType(response: Response): string {
	const field = response.headers.get("Content-Type") ?? "";
	return field.replace(/;.*$/s, "").trim().toLowerCase();
}

/**
 * Cloudflare's own 500: its text and the code in it. null: it is the service's answer, and still
 * whole.
 */
export async function seenProxyError(
	response: Response,
): Promise<{ text: string; type: string } | null> {
	const length = Number(response.headers.get("Content-Length") ?? 0);
	if (response.status !== 500 || mediaType(response) !== "text/plain") {
		return null;
	}
	if (length > PROXY_ERROR_MAX) {
		return null;
	}
	const limit = AbortSignal.timeout(PROXY_ERROR_MS);
	const text = await readText(response.clone(), PROXY_ERROR_MAX, limit);
	const type = PROXY_ERROR.exec(text ?? "")?.[1];
	return text !== null && type !== undefined ? { text, type } : null;
}

/**
 * The intermediary next to us, if it made the answer itself because of an error. Of those before
 * it the service's own network is made, and what they say is the service's answer.
 */
export function seenFailedProxy(response: Response): FailedProxy | null {
	if (response.status < 400 || mediaType(response) !== "application/problem+json") {
		return null;
	}
	const field = response.headers.get("Proxy-Status") ?? "";
	const last = parseProxyStatus(field).at(-1);
	return last?.error ? { ...last, error: last.error, field } : null;
}
