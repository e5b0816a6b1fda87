// SPDX-License-Identifier: Apache-2.0
//
// Bodies of answers that say why something failed: small, or not what they seem. Nothing is read
// beyond a limit, and nobody is waited for beyond the signal.

// How many of the texts of others we keep.
const TEXT_MAX = 1024;

/** What was begun, or the signal's reason if that comes first. */
export async function untilAborted<T>(begun: Promise<T>, signal: AbortSignal): Promise<T> {
	let end = () => {};
	const aborted = new Promise<never>((_, reject) => {
		end = () => reject(signal.reason);
		signal.addEventListener("abort", end);
		if (signal.aborted) {
			end();
		}
	});
	try {
		return await Promise.race([begun, aborted]);
	} finally {
		signal.removeEventListener("abort", end);
		// Whichever loses may still fail.
		begun.catch(() => {});
	}
}

/**
 * The body as text, null if it is longer than `max` bytes, breaks off or takes too long. The body
 * is used up or cancelled then.
 */
export async function readText(
	response: Response,
	max: number,
	signal: AbortSignal,
): Promise<string | null> {
	const reader = response.body?.getReader();
	const decoder = new TextDecoder();
	let text = "";
	let length = 0;
	try {
		while (reader) {
			const { value, done } = await untilAborted(reader.read(), signal);
			if (done) {
				break;
			}
			length += value.byteLength;
			if (length > max) {
				throw new RangeError();
			}
			text += decoder.decode(value, { stream: true });
		}
	} catch {
		reader?.cancel().catch(() => {});
		return null;
	}
	return text + decoder.decode();
}

/** What JSON means, undefined if it is none. */
export function parseJson(text: string | null): unknown {
	try {
		return JSON.parse(text ?? "");
	} catch {
		return undefined;
	}
}

/** A member of what JSON meant; undefined if that is no object, or has none. */
export function member(value: unknown, name: string): unknown {
	return typeof value === "object" && value !== null
		? (value as Record<string, unknown>)[name]
		: undefined;
}

/** A text for people: one line without control characters, and not endless; null if it is none. */
export function sentence(value: unknown): string | null {
	if (typeof value !== "string") {
		return null;
	}
	const text = value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
	return text.slice(0, TEXT_MAX) || null;
}

/** A code or an id; null if it does not look like one. */
export function word(value: unknown): string | null {
	return typeof value === "string" && /^[A-Za-z0-9][\w.-]{0,63}$/.test(value) ? value : null;
}
