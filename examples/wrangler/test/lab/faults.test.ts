// SPDX-License-Identifier: Apache-2.0
//
// index.ts in workerd, in the lab's node `worker`: something is broken on the other side of the
// tunnel, and the Worker's error names it.
//
//	workerd, env.MESH.fetch() ── edge ══ CloudflareWARP gw1 eth0 ── service

import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MeshErrorFields } from "../../src/mesh-error.ts";
import { bundle, serve } from "../workerd.ts";
import { drop, inNode } from "./node.ts";

const SERVICE = "10.0.1.50:3000";
const REMOTE = "10.0.2.60:3000";
const NOBODY = "10.0.1.99:3000";
// Routes to the service and, as /closed, to a port of it where nobody listens.
const BRIDGE = "100.96.0.18:80";
const GATEWAY = "http://100.96.0.18";
// Who has this may have the gateway try.
const GATEWAY_TOKEN = "a-secret-of-the-lab";
const TOKEN = "a-secret-of-the-tests";

interface Result {
	status: number | null;
	body: string | null;
	error: string | null;
	why: MeshErrorFields | null;
}

let folder: string;

beforeAll(async () => {
	folder = await bundle("wrangler.jsonc");
});

afterAll(() => rm(folder, { recursive: true }));

/** One call by a Worker that has no connections yet. */
async function call(target: string, path = "/", token = GATEWAY_TOKEN): Promise<Result> {
	const worker = await serve(`${folder}/index.js`, {
		TOKEN,
		GATEWAYS: GATEWAY,
		GATEWAY_TOKEN: token,
	});
	const response = await fetch(`${worker}?url=http://${target}${path}`, {
		headers: { Authorization: `Bearer ${TOKEN}` },
	});
	return (await response.json()) as Result;
}

/** The error of a call that was thrown, and explained by the gateway. */
async function causeOf(target: string): Promise<string | undefined> {
	const result = await call(target);
	expect(result).toMatchObject({
		status: null,
		body: null,
		error: expect.stringMatching(/^Error: /) as string,
		why: { target, gateway: GATEWAY, raw: { kind: "thrown" }, unanswered: [] },
	});
	expect(result.why?.diagnosisId).toMatch(/^\w+$/);
	expect(result.why?.cause).not.toBe("");
	expect(result.why?.remedy).not.toBeNull();
	return result.why?.code;
}

test("nothing is broken", async () => {
	expect(await call(SERVICE)).toMatchObject({ status: 200, error: null, why: null });
});

test("nobody listens on the port", async () => {
	expect(await causeOf("10.0.1.50:3999")).toBe("service-port-closed");
});

test("nobody listens on the port, in IPv6", async () => {
	expect(await causeOf("[2001:db8:1::50]:3999")).toBe("service-port-closed");
});

test("nobody has the address", async () => {
	expect(await causeOf(NOBODY)).toBe("neighbour-unresolved");
});

test("nobody has the address, and the gateway only looks", async () => {
	const { why } = await call(NOBODY, "/", "");
	expect(why).toMatchObject({ gateway: GATEWAY, unanswered: [] });
	expect([why?.code, ...(why?.candidates ?? [])]).toContain("neighbour-unresolved");
});

test("a gateway that only looks has seen nothing of a single refusal", async () => {
	const { why } = await call("10.0.1.50:3999", "/", "");
	expect(why?.code).toBe(why?.type);
	expect(why).toMatchObject({ gateway: null, unanswered: [{ gateway: GATEWAY }] });
	expect(why?.unanswered[0]?.why).toMatch(/^no-traffic-observed: /);
});

test("the service's own firewall says nothing", async () => {
	await drop("service", "input", "tcp dport 3000");
	expect(await causeOf(SERVICE)).toBe("service-silent-drop");
});

// Of another target: what was found out about one is known for some seconds.
test("somebody's filter on the gateway drops", async () => {
	await drop("gw1", "forward", "tcp dport 3000");
	expect(await causeOf(REMOTE)).toBe("filter-drop-forward");
});

test("no answer finds its way back, the gateway's own neither", async () => {
	const rule = ["prio", "50", "to", "100.64.0.0/12", "blackhole"];
	await inNode("gw1", "ip", "rule", "add", ...rule);
	try {
		const { why } = await call(SERVICE);
		expect(why?.code).toBe(why?.type);
		expect(why).toMatchObject({ gateway: null, unanswered: [{ gateway: GATEWAY }] });
	} finally {
		await inNode("gw1", "ip", "rule", "del", ...rule);
	}
});

test("nothing is broken behind a bridge", async () => {
	expect(await call(BRIDGE)).toMatchObject({ status: 200, error: null, why: null });
	expect(await call(BRIDGE, "/bytes/5")).toMatchObject({ status: 200, body: "01234" });
});

test("nobody listens behind a bridge", async () => {
	const { status, error, why } = await call(BRIDGE, "/closed");
	expect({ status, error }).toEqual({ status: 502, error: null });
	expect(why).toMatchObject({
		type: "connection_refused",
		code: "service-port-closed",
		confidence: "certain",
		diagnosisId: expect.stringMatching(/^\w+$/) as string,
		gateway: "meshgw-gw1",
		target: BRIDGE,
		raw: { kind: "proxy-status", status: 502 },
		unanswered: [],
	});
});
