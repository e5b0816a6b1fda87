// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { Mesh, MeshError, type MeshOptions, type Network } from "../src/mesh.ts";
import { endless, GW1, GW2, network, SERVICE, silent, verdict } from "./network.ts";

const ASKED = `${GW1}/.well-known/meshgw/diagnose?target=10.0.1.50%3A3000`;

async function failure(
	mesh: Network,
	options: MeshOptions = {},
	init: RequestInit = {},
	url = `${SERVICE}/secret?q=1`,
): Promise<MeshError> {
	const error: unknown = await new Mesh(mesh, options).fetch(url, init).then(
		(response) => new Error(`answered ${response.status}`),
		(thrown: unknown) => thrown,
	);
	if (!(error instanceof MeshError)) {
		throw error;
	}
	return error;
}

function throwing(thrown: unknown): Network & { asked: Request[] } {
	return network({
		[SERVICE]: () => {
			throw thrown;
		},
	});
}

function proxyError(text: string, init: ResponseInit = {}): Response {
	return new Response(text, { status: 500, ...init });
}

function problem(body: unknown, field: string, status = 502): Response {
	return new Response(typeof body === "string" ? body : JSON.stringify(body), {
		status,
		headers: { "Content-Type": "application/problem+json", "Proxy-Status": field },
	});
}

describe("what env.MESH.fetch() throws", () => {
	test.each([
		["handshake timeout", "connection_timeout"],
		["TCP Handshake Timeout", "connection_timeout"],
		["connection_refused", "connection_refused"],
		["ProxyError: destination_unavailable", "destination_unavailable"],
		["Error: ProxyError: rate_limited", "rate_limited"],
		["Network connection lost.", "connection_terminated"],
		["connect(): Connection refused", "connection_refused"],
		["DNS lookup failed.", "dns_error"],
		["connect(): Connection timed out", "connection_timeout"],
		["internal error; reference = abc", "proxy_internal_error"],
		["an unheard-of text", "proxy_internal_error"],
	])("%j is %s", async (message, type) => {
		const error = await failure(throwing(new Error(message)));
		expect(error).toMatchObject({
			name: "MeshError",
			code: type,
			type,
			target: "10.0.1.50:3000",
			remedy: null,
			gateway: null,
			diagnosisId: null,
			confidence: null,
			raw: { kind: "thrown", status: null, text: `Error: ${message}` },
			unanswered: [],
		});
	});

	test.each([["a text"], [undefined], [null], [{ message: "an object" }]])(
		"%j, which is no Error",
		async (thrown) => {
			expect((await failure(throwing(thrown))).raw.text).toBe(String(thrown));
		},
	);

	test("is asked of the gateway", async () => {
		const mesh = network({ [GW1]: verdict() });
		const error = await failure(mesh, { gateways: [GW1] });
		expect(error).toMatchObject({
			code: "service-port-closed",
			type: "connection_timeout",
			cause: "10.0.1.50 answers that nothing listens on port 3000.",
			remedy: "Start the service.",
			gateway: GW1,
			diagnosisId: "01JD3V5N8W",
			confidence: "certain",
			raw: { kind: "thrown", text: "Error: handshake timeout" },
			unanswered: [],
		});
		expect(error.message).toBe(
			"10.0.1.50:3000: 10.0.1.50 answers that nothing listens on port 3000." +
				" (service-port-closed)",
		);
		expect(mesh.asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
			`GET ${SERVICE}/secret?q=1`,
			`GET ${ASKED}`,
		]);
	});

	test.each([
		["http://10.0.1.50/", "10.0.1.50:80"],
		["https://service.internal/", "service.internal:443"],
		["http://[2001:db8:1::50]:3000/", "[2001:db8:1::50]:3000"],
		["http://user:password@10.0.1.50:3000/path?query#hash", "10.0.1.50:3000"],
	])("the target of %s is %s", async (url, target) => {
		const mesh: Network = {
			fetch: () => Promise.reject(new Error("handshake timeout")),
		};
		// Node refuses what Workers allow.
		const plain = url.replace("user:password@", "");
		expect((await failure(mesh, {}, {}, plain)).target).toBe(target);
	});
});

describe("Cloudflare's own 500", () => {
	test.each(["ProxyError: connection_refused", "ProxyError: connection_refused\n"])(
		"%j",
		async (text) => {
			const mesh = network({
				[SERVICE]: () => proxyError(text),
				[GW1]: verdict(),
			});
			expect(await failure(mesh, { gateways: [GW1] })).toMatchObject({
				code: "service-port-closed",
				type: "connection_refused",
				raw: { kind: "proxy-error", status: 500, text },
			});
		},
	);

	test.each([
		["another status", "ProxyError: dns_error", { status: 502 }],
		[
			"another type",
			"ProxyError: dns_error",
			{ headers: { "Content-Type": "text/html" } },
		],
		["no type", "ProxyError: dns_error", { headers: { "Content-Type": "" } }],
		["more text", "ProxyError: dns_error\nat line 1", {}],
		["text before it", "Error: ProxyError: dns_error", {}],
		["no code", "ProxyError: ", {}],
		["another form", "ProxyError: Connection refused", {}],
		["an empty body", "", {}],
		["a long body", `ProxyError: dns_error${" ".repeat(200)}`, {}],
	])("with %s is the service's answer", async (_, text, init) => {
		const mesh = network({ [SERVICE]: () => proxyError(text, init) });
		const response = await new Mesh(mesh, { gateways: [GW1] }).fetch(`${SERVICE}/`);
		expect(await response.text()).toBe(text);
		expect(mesh.asked).toHaveLength(1);
	});

	test("is not looked for in a body that has no end", async () => {
		const { body, pulled } = endless();
		const type = { status: 500, headers: { "Content-Type": "text/plain" } };
		const mesh = network({ [SERVICE]: () => new Response(body, type) });
		const response = await new Mesh(mesh).fetch(`${SERVICE}/`);
		expect(response.status).toBe(500);
		expect(pulled()).toBeLessThan(5);
		const { value } = await response.body!.getReader().read();
		expect(value).toHaveLength(32768);
	});

	test("is not waited for in a body that stands still", async () => {
		const type = { status: 500, headers: { "Content-Type": "text/plain" } };
		const mesh = network({ [SERVICE]: () => new Response(new ReadableStream(), type) });
		const response = await new Mesh(mesh).fetch(`${SERVICE}/`);
		expect(response.status).toBe(500);
	});
});

describe("a gateway's answer in the service's place", () => {
	const FIELD = 'gw1; error=connection_timeout; details="return-route-missing; diag=01JB"';
	const BODY = {
		type: "https://example.com/codes/return-route-missing",
		title: "Answers do not find their way back.",
		status: 504,
		detail: "Answers to 100.64.12.189 leave by eth0, not into the tunnel.",
		instance: "01JB",
		code: "return-route-missing",
		confidence: "certain",
		fix: { text: "Put it back:", commands: ["meshgw apply", "meshgw status"] },
	};

	test("says why, and nobody is asked", async () => {
		const mesh = network({
			[SERVICE]: () => problem(BODY, FIELD, 504),
			[GW1]: verdict(),
		});
		const error = await failure(mesh, { gateways: [GW1] });
		expect(error).toMatchObject({
			code: "return-route-missing",
			type: "connection_timeout",
			cause: "Answers to 100.64.12.189 leave by eth0, not into the tunnel.",
			remedy: "Put it back: Run: meshgw apply; meshgw status",
			gateway: "gw1",
			diagnosisId: "01JB",
			confidence: "certain",
			raw: {
				kind: "proxy-status",
				status: 504,
				text: JSON.stringify(BODY),
				field: FIELD,
			},
		});
		expect(mesh.asked).toHaveLength(1);
	});

	test.each([
		["is empty", ""],
		["is no JSON", "<html>"],
		["is no object", "[1]"],
		[
			"has members of other types",
			{ code: 5, detail: {}, title: null, fix: [], instance: 1 },
		],
	])("code and id come from the field when the body %s", async (_, body) => {
		const error = await failure(network({ [SERVICE]: () => problem(body, FIELD) }));
		expect(error).toMatchObject({
			code: "return-route-missing",
			cause: "gw1 answers connection_timeout",
			remedy: null,
			diagnosisId: "01JB",
			confidence: null,
		});
	});

	test("a fault in the field stands between code and id", async () => {
		const field =
			'meshgw; error=http_protocol_error; details="answer-malformed; fault=obs-fold; diag=01.a-b"';
		expect(
			await failure(network({ [SERVICE]: () => problem("", field) })),
		).toMatchObject({
			code: "answer-malformed",
			diagnosisId: "01.a-b",
		});
	});

	test("of a gateway that reveals only the code is the code's title", async () => {
		const answer = verdict({ summary: undefined, fix: undefined, evidence: undefined });
		expect(
			await failure(network({ [GW1]: answer }), { gateways: [GW1] }),
		).toMatchObject({
			cause: "The service's host answers that nothing listens on the port.",
			remedy: null,
		});
	});

	test.each([
		["free text", 'gw1; error=dns_error; details="it; is <b>broken</b>"'],
		["none", "gw1; error=dns_error"],
	])("with details of %s the code is the field's error", async (_, field) => {
		const error = await failure(network({ [SERVICE]: () => problem("", field) }));
		expect(error).toMatchObject({
			code: "dns_error",
			type: "dns_error",
			diagnosisId: null,
		});
	});

	test("ends in time when its body has no end", async () => {
		const { body, pulled } = endless();
		const headers = {
			"Content-Type": "application/problem+json",
			"Proxy-Status": FIELD,
		};
		const mesh = network({
			[SERVICE]: () => new Response(body, { status: 502, headers }),
		});
		const error = await failure(mesh);
		expect(error).toMatchObject({ code: "return-route-missing", raw: { text: "" } });
		expect(pulled()).toBeLessThan(6);
	});

	test("ends in time when its body stands still", async () => {
		const headers = {
			"Content-Type": "application/problem+json",
			"Proxy-Status": FIELD,
		};
		const init = { status: 502, headers };
		const mesh = network({ [SERVICE]: () => new Response(new ReadableStream(), init) });
		expect((await failure(mesh)).code).toBe("return-route-missing");
	});

	test.each([
		["that succeeded", problem(BODY, FIELD, 200)],
		["without the field", problem(BODY, "")],
		["with a malformed field", problem(BODY, `${FIELD},`)],
		["with a field of two kinds", problem(BODY, `${FIELD}, (a b)`)],
		["with an error of another type", problem(BODY, 'gw1; error="dns_error"')],
		["that only passed the gateway", problem(BODY, `cdn; error=dns_error, gw1`)],
		[
			"that is no problem",
			new Response("x", { status: 502, headers: { "Proxy-Status": FIELD } }),
		],
	])("is none in an answer %s", async (_, answer) => {
		const mesh = network({ [SERVICE]: () => answer });
		expect(await new Mesh(mesh).fetch(`${SERVICE}/`)).toBe(answer);
		expect(answer.bodyUsed).toBe(false);
	});
});

describe("a question to the gateways", () => {
	test("carries the token, and no error repeats it", async () => {
		const mesh = network({ [GW1]: () => new Response("no", { status: 401 }) });
		const error = await failure(mesh, { gateways: [GW1], token: "t0p-secret" });
		expect(mesh.asked[1]?.headers.get("Authorization")).toBe("Bearer t0p-secret");
		expect(mesh.asked[1]?.redirect).toBe("manual");
		expect(JSON.stringify(error) + error.stack).not.toContain("t0p-secret");
	});

	test.each([
		["throws", () => Promise.reject(new Error("boom")), "Error: boom"],
		["is refused", () => new Response("{}", { status: 404 }), "it answers 404"],
		["is no JSON", () => new Response("<html>"), "its answer is no verdict"],
		["is no verdict", () => Response.json({ code: "a b" }), "its answer is no verdict"],
		["has no end", () => new Response(endless().body), "its answer is no verdict"],
		["stands still", silent, "TimeoutError: The operation was aborted due to timeout"],
		[
			"stands still after its head",
			() => new Response(new ReadableStream()),
			"its answer is no verdict",
		],
		[
			"finds nothing",
			verdict({ code: "healthy", summary: "The flow works." }),
			"healthy: The flow works.",
		],
	])("that %s masks nothing", async (_, answer, why) => {
		const error = await failure(network({ [GW1]: answer }), {
			gateways: [GW1],
			askMs: 100,
		});
		expect(error).toMatchObject({
			code: "connection_timeout",
			cause: "no answer of the service: Error: handshake timeout",
			raw: { kind: "thrown", text: "Error: handshake timeout" },
			unanswered: [{ gateway: GW1, why }],
		});
	});

	test("that is no URL masks nothing", async () => {
		const error = await failure(network({}), { gateways: ["gw1"] });
		expect(error.code).toBe("connection_timeout");
		expect(error.unanswered[0]?.why).toContain("Invalid URL");
	});

	test.each([
		["likely", "certain", GW2],
		["certain", "likely", GW1],
		["nonsense", "inconclusive", GW2],
		["certain", "certain", GW1],
	])("of two, %s and %s, the surer one is believed", async (one, two, believed) => {
		const mesh = network({
			[GW1]: verdict({ confidence: one }),
			[GW2]: verdict({ confidence: two }),
		});
		const error = await failure(mesh, { gateways: [GW1, GW2] });
		expect(error.gateway).toBe(believed);
	});

	test("that is not decided names what is still possible", async () => {
		const answer = verdict({
			confidence: "undetermined",
			candidates: ["egress-queue-drop", 5, "neighbour-unresolved", "a b"],
		});
		const error = await failure(network({ [GW1]: answer }), { gateways: [GW1] });
		expect(error).toMatchObject({
			confidence: "undetermined",
			candidates: ["egress-queue-drop", "neighbour-unresolved"],
		});
	});

	test("of two is answered by one, while the other is silent", async () => {
		const mesh = network({ [GW1]: silent, [GW2]: verdict() });
		const error = await failure(mesh, { gateways: [GW1, GW2], askMs: 100 });
		expect(error).toMatchObject({ gateway: GW2, unanswered: [{ gateway: GW1 }] });
	});

	test("is answered with text that is harmless to show, and no more than is shown", async () => {
		const hostile = verdict({
			summary: `a\u001b[31m\r\nb\u202e${"x".repeat(5000)}`,
			id: "../../etc",
			fix: { text: "Do", commands: ["ip route add", 7, "nft\nflush"] },
		});
		const error = await failure(network({ [GW1]: hostile }), { gateways: [GW1] });
		expect(error.cause).toMatch(/^a \[31m b x+$/);
		expect(error.cause.length).toBeLessThanOrEqual(1024);
		expect(error.diagnosisId).toBeNull();
		expect(error.remedy).toBe("Do Run: ip route add; nft flush");
	});
});

describe("a call", () => {
	test.each(["GET", "POST", "PUT", "DELETE"])("of %s is made once", async (method) => {
		const mesh = network({ [GW1]: verdict() });
		await failure(mesh, { gateways: [GW1] }, { method });
		const calls = mesh.asked.filter(({ url }) => url.startsWith(SERVICE));
		expect(calls.map((call) => call.method)).toEqual([method]);
	});

	test("passes the service's answer on, unread", async () => {
		const answer = new Response("fine", {
			status: 503,
			headers: { "Retry-After": "1" },
		});
		const mesh = network({ [SERVICE]: () => answer });
		expect(await new Mesh(mesh).fetch(new Request(SERVICE))).toBe(answer);
		expect(answer.bodyUsed).toBe(false);
	});

	test("that is no request is a TypeError, and nobody is asked", async () => {
		const mesh = network({});
		const called = new Mesh(mesh, { gateways: [GW1] }).fetch("not a URL");
		await expect(called).rejects.toBeInstanceOf(TypeError);
		expect(mesh.asked).toEqual([]);
	});

	const abortable: Network["fetch"] = (request) =>
		new Promise((_, reject) => {
			const end = () => reject(request.signal.reason);
			request.signal.addEventListener("abort", end);
		});

	test("that its caller aborts ends with the caller's reason", async () => {
		const mesh = { fetch: abortable };
		const controller = new AbortController();
		const called = new Mesh(mesh, { gateways: [GW1] }).fetch(SERVICE, {
			signal: controller.signal,
		});
		const reason = new Error("changed my mind");
		controller.abort(reason);
		await expect(called).rejects.toBe(reason);
	});

	test("that runs into its caller's time limit is explained", async () => {
		const gateway = network({
			[GW1]: async (request) => {
				await new Promise((resolve) => setImmediate(resolve));
				return verdict()(request);
			},
		});
		const fetch: Network["fetch"] = (request) =>
			request.url.startsWith(SERVICE)
				? abortable(request)
				: gateway.fetch(request);
		const error = await failure(
			{ fetch },
			{ gateways: [GW1] },
			{ signal: AbortSignal.timeout(50) },
		);
		expect(error).toMatchObject({
			code: "service-port-closed",
			type: "http_response_timeout",
			raw: { kind: "thrown" },
		});
	});

	test("that is aborted while gateways are asked ends with the error", async () => {
		const controller = new AbortController();
		const mesh = network({
			[GW1]: () => {
				controller.abort();
				return new Promise<never>(() => {});
			},
		});
		const error = await failure(
			mesh,
			{ gateways: [GW1], askMs: 60000 },
			{ signal: controller.signal },
		);
		expect(error).toMatchObject({
			code: "connection_timeout",
			unanswered: [{ why: "AbortError: This operation was aborted" }],
		});
	});
});

describe("what is told", () => {
	async function told(): Promise<MeshError> {
		const mesh = network({ [GW1]: verdict(), [GW2]: () => new Response("{}") });
		return failure(mesh, { gateways: [GW1, GW2], token: "t0p-secret" });
	}

	test("operators get all of it", async () => {
		expect(JSON.parse(JSON.stringify(await told()))).toEqual({
			code: "service-port-closed",
			type: "connection_timeout",
			cause: "10.0.1.50 answers that nothing listens on port 3000.",
			remedy: "Start the service.",
			gateway: "http://100.96.0.11",
			diagnosisId: "01JD3V5N8W",
			confidence: "certain",
			candidates: [],
			target: "10.0.1.50:3000",
			raw: { kind: "thrown", status: null, text: "Error: handshake timeout" },
			unanswered: [
				{ gateway: "http://100.96.0.12", why: "its answer is no verdict" },
			],
		});
	});

	test("strangers get this and nothing else", async () => {
		expect((await told()).publicForm()).toEqual({
			type: "about:blank",
			title: "Gateway Timeout",
			status: 504,
			code: "service-port-closed",
			instance: "urn:meshgw:diagnosis:01JD3V5N8W",
		});
	});

	test.each([
		["connection_refused", 502],
		["destination_unavailable", 503],
		["http_response_timeout", 504],
		["constructor", 502],
	])("%s is %i to them", async (type, status) => {
		const field = `gw1; error=${type}`;
		const error = await failure(network({ [SERVICE]: () => problem("", field) }));
		expect(error.publicForm()).toMatchObject({ status, instance: null });
	});
});
