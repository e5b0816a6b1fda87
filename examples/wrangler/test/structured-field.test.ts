// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { parseProxyStatus } from "../src/proxy-status.ts";
import { parseList } from "../src/structured-field.ts";

describe("a list of items", () => {
	test.each([
		["", []],
		["   ", []],
		["a", ["token a"]],
		["a, b;x,\tc", ["token a", "token b x=boolean 1", "token c"]],
		["*x/y:z", ["token *x/y:z"]],
		[String.raw`"a\"b\\c,;"`, [String.raw`string a"b\c,;`]],
		["-12.5;a=0", ["decimal -12.5 a=integer 0"]],
		["?0;b=?1", ["boolean 0 b=boolean 1"]],
		[":aGk=:;c=:aGk=:", ["bytes aGk= c=bytes aGk="]],
		["@1659578233;d=@-1", ["date 1659578233 d=date -1"]],
		['%"f%c3%bc"', ["display f%c3%bc"]],
		["a;x=1;x=2", ["token a x=integer 2"]],
		["a;  x;*y-.=b", ["token a x=boolean 1 *y-.=token b"]],
		["a , b", ["token a", "token b"]],
	])("%j", (field, expected) => {
		const shown = parseList(field)?.map(({ type, value, parameters }) =>
			[
				`${type} ${value}`,
				...[...parameters].map(([key, p]) => `${key}=${p.type} ${p.value}`),
			].join(" "),
		);
		expect(shown).toEqual(expected);
	});

	test.each([
		",",
		"a,",
		"a, ",
		"a,\t",
		"a,,b",
		"a b",
		"\ta",
		"(a b)",
		"a;",
		"a; =1",
		"a;X=1",
		"a;x=",
		"a;x= 1",
		"a ;x",
		'"a',
		'"\\a"',
		'"é"',
		'"a\nb"',
		"1.",
		"1.2345",
		"1234567890123456",
		"1.2.3",
		"--1",
		"?2",
		"?",
		":a",
		":=a:",
		"@1.5",
		'%"%C3"',
		'%"é"',
		"é",
		`"${"a".repeat(16384)}"`,
	])("is refused as a whole: %j", (field) => {
		expect(parseList(field)).toBeNull();
	});

	test("takes no time that grows with the square of the length", () => {
		for (const field of [
			'"'.padEnd(16000, "\\"),
			"a;".repeat(8000),
			"a,".repeat(8000),
		]) {
			const begin = process.cpuUsage();
			expect(parseList(field)).toBeNull();
			expect(process.cpuUsage(begin).user).toBeLessThan(500_000);
		}
	});
});

describe("Proxy-Status", () => {
	test("tells each intermediary's error and details", () => {
		const field =
			'"edge of the service"; received-status=502, ' +
			'meshgw; error=connection_timeout; details="return-route-missing; diag=01J"';
		expect(parseProxyStatus(field)).toEqual([
			{ proxy: "edge of the service", error: null, details: null },
			{
				proxy: "meshgw",
				error: "connection_timeout",
				details: "return-route-missing; diag=01J",
			},
		]);
	});

	test.each([
		["an error that is no token", 'meshgw; error="connection_timeout"', null],
		["details that are no string", "meshgw; error=dns_error; details=x", "dns_error"],
	])("%s does not count", (_, field, error) => {
		expect(parseProxyStatus(field)).toEqual([
			{ proxy: "meshgw", error, details: null },
		]);
	});

	test.each([null, "", "meshgw; error=", "12; error=dns_error", "(meshgw); error=dns_error"])(
		"%j says nothing",
		(field) => {
			expect(parseProxyStatus(field)).toEqual([]);
		},
	);
});
