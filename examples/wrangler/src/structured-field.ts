// SPDX-License-Identifier: Apache-2.0
//
// Structured Fields of HTTP (RFC 9651): a List of Items, each with its parameters. That is all of
// the grammar that Proxy-Status needs; a field with an Inner List is refused, and so is every field
// that does not parse to its end, as section 4.2 wants it.

export type ItemType =
	"token" | "string" | "integer" | "decimal" | "boolean" | "bytes" | "date" | "display";

// The value as it stands in the field, without quotes and escapes: nobody here computes with it.
export interface BareItem {
	type: ItemType;
	value: string;
}

export interface Item extends BareItem {
	parameters: Map<string, BareItem>;
}

// Longer than any field that means well; other limits are those of the grammar.
const LENGTH_MAX = 16384;

const KEY = /[a-z*][a-z0-9_.*-]*/y;

// In the order in which they are tried; the first character decides between all but two of them.
const BARE_ITEMS: [ItemType, RegExp][] = [
	["token", /([A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*)/y],
	["string", /"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y],
	["decimal", /(-?\d{1,12}\.\d{1,3})(?![\d.])/y],
	["integer", /(-?\d{1,15})(?![\d.])/y],
	["boolean", /\?([01])/y],
	["bytes", /:([A-Za-z0-9+/]*={0,2}):/y],
	["date", /@(-?\d{1,15})(?![\d.])/y],
	["display", /%"((?:[\x20\x21\x23\x24\x26-\x7e]|%[0-9a-f]{2})*)"/y],
];

class Malformed extends Error {}

class Cursor {
	#text: string;
	#at = 0;

	constructor(text: string) {
		this.#text = text;
	}

	get atEnd(): boolean {
		return this.#at === this.#text.length;
	}

	// The match that begins here, and goes behind it.
	take(pattern: RegExp): RegExpExecArray | null {
		pattern.lastIndex = this.#at;
		const match = pattern.exec(this.#text);
		if (match) {
			this.#at = pattern.lastIndex;
		}
		return match;
	}

	need(pattern: RegExp): string {
		const match = this.take(pattern);
		if (!match) {
			throw new Malformed();
		}
		return match[0];
	}
}

function bareItem(cursor: Cursor): BareItem {
	for (const [type, pattern] of BARE_ITEMS) {
		const match = cursor.take(pattern);
		if (match) {
			const text = match[1] ?? "";
			return {
				type,
				value: type === "string" ? text.replace(/\\(.)/g, "$1") : text,
			};
		}
	}
	throw new Malformed();
}

// Of two parameters with one name the last one counts.
function parameters(cursor: Cursor): Map<string, BareItem> {
	const found = new Map<string, BareItem>();
	while (cursor.take(/;/y)) {
		cursor.take(/ */y);
		const key = cursor.need(KEY);
		const isTrue: BareItem = { type: "boolean", value: "1" };
		found.set(key, cursor.take(/=/y) ? bareItem(cursor) : isTrue);
	}
	return found;
}

function list(cursor: Cursor): Item[] {
	const items: Item[] = [];
	cursor.take(/ */y);
	while (!cursor.atEnd) {
		items.push({ ...bareItem(cursor), parameters: parameters(cursor) });
		cursor.take(/[ \t]*/y);
		if (cursor.atEnd) {
			break;
		}
		cursor.need(/,[ \t]*(?=.)/y);
	}
	return items;
}

/** The list's items; null if the field is none, and must be ignored as a whole. */
export function parseList(field: string): Item[] | null {
	if (field.length > LENGTH_MAX) {
		return null;
	}
	try {
		return list(new Cursor(field.replace(/ +$/, "")));
	} catch (error) {
		if (error instanceof Malformed) {
			return null;
		}
		throw error;
	}
}
