// SPDX-License-Identifier: Apache-2.0
//
// Both Workers as they would be deployed, in the real runtime, against services on loopback.

import { createHash, createHmac, generateKeyPairSync } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server } from "node:net";
import { rm } from "node:fs/promises";
import type { Duplex } from "node:stream";
import { exportJWK, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { bundle, serve } from "./workerd.ts";

const TOKEN = "a-secret-of-the-tests";
const BEARER = { Authorization: `Bearer ${TOKEN}` };

const folders: string[] = [];
let index: string, publish: string;

beforeAll(async () => {
	folders.push(
		...(await Promise.all(["wrangler.jsonc", "wrangler.publish.jsonc"].map(bundle))),
	);
	index = `${folders[0]}/index.js`;
	publish = `${folders[1]}/publish.js`;
});

afterAll(async () => {
	await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});

async function listen(server: Server): Promise<string> {
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function http(listener: RequestListener): Promise<string> {
	const server = createServer(listener);
	onTestFinished(() => server.closeAllConnections());
	return listen(server);
}

/** An address where nobody listens. */
async function closed(): Promise<string> {
	const server = createTcpServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	await new Promise<void>((resolve) => server.close(() => resolve()));
	return `http://127.0.0.1:${port}`;
}

/** A gateway that has an answer to every question. */
async function gateway(questions: string[] = []): Promise<string> {
	return http((request, response) => {
		questions.push(request.url ?? "");
		response.setHeader("Content-Type", "application/json");
		response.end(
			JSON.stringify({
				id: "01JD3V5N8W",
				code: "service-port-closed",
				confidence: "certain",
				summary: "Nothing listens there.",
				evidence: [],
				fix: { text: "Start the service.", commands: [] },
			}),
		);
	});
}

describe("index.ts", () => {
	async function call(url: string, gateways = ""): Promise<Record<string, unknown>> {
		const worker = await serve(index, { TOKEN, GATEWAYS: gateways });
		const response = await fetch(`${worker}?url=${encodeURIComponent(url)}`, {
			headers: BEARER,
		});
		expect(response.status).toBe(200);
		return (await response.json()) as Record<string, unknown>;
	}

	test("tells what the service answered", async () => {
		const service = await http((_, response) =>
			response.writeHead(404).end("no such\n"),
		);
		expect(await call(service)).toEqual({
			url: service,
			status: 404,
			body: "no such\n",
			error: null,
			why: null,
			ms: expect.any(Number) as number,
		});
	});

	test("tells what was thrown, and why", async () => {
		const questions: string[] = [];
		const url = await closed();
		const result = await call(url, `${await closed()} ${await gateway(questions)}`);
		expect(result).toMatchObject({
			status: null,
			body: null,
			error: expect.stringContaining("Error: ") as string,
			why: {
				code: "service-port-closed",
				cause: "Nothing listens there.",
				remedy: "Start the service.",
				confidence: "certain",
				diagnosisId: "01JD3V5N8W",
				target: url.slice("http://".length),
				unanswered: [{ why: expect.any(String) as string }],
			},
		});
		const target = encodeURIComponent(url.slice("http://".length));
		expect(questions).toEqual([`/.well-known/meshgw/diagnose?target=${target}`]);
	});

	test("knows a connection that ends before the answer", async () => {
		const service = await listen(createTcpServer((socket) => socket.resetAndDestroy()));
		expect(await call(service)).toMatchObject({
			why: { type: "connection_terminated", gateway: null },
		});
	});

	test("knows Cloudflare's own answer", async () => {
		const service = await http((_, response) => {
			response.writeHead(500, { "Content-Type": "text/plain;charset=UTF-8" });
			response.end("ProxyError: dns_error");
		});
		expect(await call(service, await gateway())).toMatchObject({
			status: 500,
			body: "ProxyError: dns_error",
			error: null,
			why: { code: "service-port-closed", type: "dns_error" },
		});
	});

	test("knows a gateway's answer", async () => {
		const service = await http((_, response) => {
			response.writeHead(504, {
				"Content-Type": "application/problem+json",
				"Proxy-Status": "gw1; error=connection_timeout",
			});
			response.end('{"code": "upstream-silent", "detail": "No answer."}');
		});
		expect(await call(service)).toMatchObject({
			status: 504,
			error: null,
			why: { code: "upstream-silent", cause: "No answer.", gateway: "gw1" },
		});
	});

	test("passes long errors of the service on, whole", async () => {
		const service = await http((_, response) => {
			response.writeHead(500, { "Content-Type": "text/plain" });
			response.write("ProxyError: dns_error and more\n");
			response.end("x".repeat(1 << 20));
		});
		const { body, why } = await call(service);
		expect(why).toBeNull();
		expect(body).toContain(`${"x".repeat(2017)}… (${(1 << 20) + 31} bytes)`);
	});

	test.each([
		["no token", {}, TOKEN],
		["another", { Authorization: "Bearer another" }, TOKEN],
		["a longer one", { Authorization: `Bearer ${TOKEN}x` }, TOKEN],
		["another scheme", { Authorization: `Basic ${TOKEN}` }, TOKEN],
		["an empty one, and no secret set", { Authorization: "Bearer " }, ""],
	])("refuses callers with %s", async (_, headers: Record<string, string>, secret) => {
		const worker = await serve(index, { TOKEN: secret, GATEWAYS: "" });
		const response = await fetch(`${worker}?url=http://127.0.0.1/`, { headers });
		expect(response.status).toBe(401);
	});
});

describe("publish.ts", () => {
	const NO_ACCESS = { ACCESS_TEAM: "", ACCESS_AUD: "", GATEWAYS: "" };

	test("passes requests and answers, and no more of their headers than it must", async () => {
		let seen: Record<string, unknown> = {};
		const service: string = await http((request, response) => {
			seen = { ...request.headers, method: request.method, url: request.url };
			response.statusCode = 303;
			response.setHeader("Location", `${service}/next?page=2`);
			response.setHeader("Server", "nginx/1.26");
			response.setHeader("X-Own", "kept");
			request.pipe(response);
		});
		const worker = await serve(publish, { ...NO_ACCESS, SERVICE: service, TOKEN });
		const response = await fetch(`${worker}a%2Fb//c?d=//e`, {
			method: "PUT",
			body: "some bytes",
			redirect: "manual",
			headers: {
				...BEARER,
				"CF-Connecting-IP": "2001:db8::1",
				"Cf-Access-Jwt-Assertion": "x.y.z",
				"CF-Ray": "1",
				Cookie: "a=b; CF_Authorization=x.y.z; c=d",
				Forwarded: "for=10.0.0.1",
				"X-Forwarded-For": "10.0.0.1",
				"X-Real-IP": "10.0.0.1",
				"X-Mine": "kept",
			},
		});
		expect(response.status).toBe(303);
		expect(await response.text()).toBe("some bytes");
		expect(response.headers.get("Location")).toBe(`${worker}next?page=2`);
		expect(response.headers.get("Server")).toBeNull();
		expect(response.headers.get("X-Own")).toBe("kept");
		expect(seen).toMatchObject({
			method: "PUT",
			url: "/a%2Fb//c?d=//e",
			host: new URL(service).host,
			cookie: "a=b; c=d",
			forwarded: `for="[2001:db8::1]";host="${new URL(worker).host}";proto=http`,
			"x-mine": "kept",
		});
		for (const name of [
			"authorization",
			"cf-access-jwt-assertion",
			"cf-connecting-ip",
			"cf-ray",
			"x-forwarded-for",
			"x-real-ip",
		]) {
			expect(seen).not.toHaveProperty(name);
		}
	});

	test("goes nowhere but to its service, whatever is asked for", async () => {
		const other = await http((_, response) => response.end("other"));
		const service = await http((request, response) => response.end(request.url));
		const worker = await serve(publish, { ...NO_ACCESS, SERVICE: service, TOKEN });
		for (const path of [`/${other.slice(5)}/`, `/${other}`, `/@${other.slice(7)}`]) {
			const response = await fetch(worker.slice(0, -1) + path, {
				headers: BEARER,
			});
			expect(await response.text()).toBe(path);
		}
	});

	test("passes a WebSocket on", async () => {
		const sockets: Duplex[] = [];
		const server = createServer();
		server.on("upgrade", ({ headers }, socket) => {
			const key = `${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
			const accept = createHash("sha1").update(key).digest("base64");
			socket.write(
				"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
					`Connection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
			);
			// One frame of text (RFC 6455, 5.2).
			const text = headers.authorization ?? "hello";
			socket.write(Buffer.from([0x81, text.length, ...Buffer.from(text)]));
			sockets.push(socket);
		});
		const service = await listen(server);
		onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
		const worker = await serve(publish, { ...NO_ACCESS, SERVICE: service, TOKEN });
		const socket = new WebSocket(worker.replace("http", "ws"), {
			headers: BEARER,
		} as unknown as string[]);
		onTestFinished(() => socket.close());
		const text = await new Promise((resolve, reject) => {
			socket.addEventListener("message", ({ data }) => resolve(data));
			socket.addEventListener("error", () => reject(new Error("no WebSocket")));
		});
		expect(text).toBe("hello");
	});

	test("tells callers of a failure a code and an id", async () => {
		const worker = await serve(publish, {
			...NO_ACCESS,
			SERVICE: await closed(),
			GATEWAYS: await gateway(),
			TOKEN,
		});
		const response = await fetch(worker, { headers: BEARER });
		expect(response.headers.get("Content-Type")).toBe("application/problem+json");
		expect(await response.json()).toEqual({
			type: "about:blank",
			title: "Bad Gateway",
			status: response.status,
			code: "service-port-closed",
			instance: "urn:meshgw:diagnosis:01JD3V5N8W",
		});
	});

	test("refuses who has no token, and everybody while no secret is set", async () => {
		const service = await http((_, response) => response.end());
		const worker = await serve(publish, { ...NO_ACCESS, SERVICE: service, TOKEN });
		expect((await fetch(worker)).status).toBe(401);
		const unset = await serve(publish, { ...NO_ACCESS, SERVICE: service });
		expect((await fetch(unset, { headers: BEARER })).status).toBe(401);
		expect((await fetch(unset, { headers: { Authorization: "Bearer " } })).status).toBe(
			401,
		);
	});

	test("lets pass whom Cloudflare Access did, and nobody else", async () => {
		const { publicKey, privateKey } = generateKeyPairSync("rsa", {
			modulusLength: 2048,
		});
		const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
		const key = { ...(await exportJWK(publicKey)), kid: "1", alg: "RS256", use: "sig" };
		const team = await http((request, response) => {
			const known = request.url === "/cdn-cgi/access/certs";
			response.writeHead(known ? 200 : 404).end(JSON.stringify({ keys: [key] }));
		});
		const service = await http((_, response) => response.end("private"));
		const worker = await serve(publish, {
			SERVICE: service,
			GATEWAYS: "",
			ACCESS_TEAM: team,
			ACCESS_AUD: "our-application",
			TOKEN,
		});

		const sign = (claims: Record<string, unknown>, signer = privateKey) =>
			new SignJWT({
				iss: team,
				aud: ["our-application"],
				exp: in60s(),
				...claims,
			})
				.setProtectedHeader({ alg: "RS256", kid: "1" })
				.sign(signer);
		const in60s = () => Math.floor(Date.now() / 1000) + 60;
		const secret = Buffer.from(publicKey.export({ type: "spki", format: "pem" }));
		const good = await sign({});
		const [, payload] = good.split(".");
		const header = (alg: string) =>
			Buffer.from(JSON.stringify({ alg, kid: "1" })).toString("base64url");
		const hs256 = `${header("HS256")}.${payload}`;
		const refused = {
			"none at all": "",
			"no JWT": "x.y.z",
			"another application": await sign({ aud: ["theirs"] }),
			"another team": await sign({ iss: "https://other.cloudflareaccess.com" }),
			"of yesterday": await sign({ exp: in60s() - 86400 }),
			"of tomorrow": await sign({ nbf: in60s() + 86400 }),
			"without an end": await sign({ exp: undefined }),
			"another's signature": await sign({}, other),
			"no signature": `${header("none")}.${payload}.`,
			"the public key as a secret":
				`${hs256}.` +
				createHmac("sha256", secret).update(hs256).digest("base64url"),
		};

		const ask = async (token: string) => {
			const headers = { ...BEARER, "Cf-Access-Jwt-Assertion": token };
			return (await fetch(worker, { headers })).status;
		};
		expect(await ask(good)).toBe(200);
		for (const [what, token] of Object.entries(refused)) {
			expect(await ask(token), what).toBe(401);
		}
	});
});
