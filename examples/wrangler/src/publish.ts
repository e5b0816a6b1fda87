// SPDX-License-Identifier: Apache-2.0
//
// Publishes one private service to those who may use it: whom Cloudflare Access lets pass, or who
// brings the secret TOKEN. The service hears from `Forwarded` who asks, which callers cannot forge;
// callers hear of a failure a code and an id, and never an address.

import { hasToken, passedAccess } from "./access.ts";
import { Mesh, MeshError } from "./mesh.ts";

// Of one connection only (RFC 9110, 7.6.1), without what `Connection` names besides.
const HOP_BY_HOP = [
	"connection",
	"keep-alive",
	"proxy-authenticate",
	"proxy-authorization",
	"proxy-connection",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
];
// What the Worker was shown and the service must not see, and what a service believes of a proxy.
const FROM_CALLERS = [
	"authorization",
	"forwarded",
	"true-client-ip",
	"via",
	"x-client-ip",
	"x-real-ip",
];
const FROM_CALLERS_PREFIXES = ["cf-", "x-forwarded-"];
// How the service's network is made.
const FROM_SERVICE = ["proxy-status", "server", "via", "x-powered-by"];

function without(headers: Headers, names: readonly string[]): Headers {
	const named = (headers.get("Connection") ?? "").split(",").map((name) => name.trim());
	const kept = new Headers(headers);
	for (const name of [...HOP_BY_HOP, ...names, ...named.filter((n) => /^[\w-]+$/.test(n))]) {
		kept.delete(name);
	}
	return kept;
}

/** Access's own cookie is a key to this Worker. */
function dropAccessCookie(headers: Headers): void {
	const cookies = (headers.get("Cookie") ?? "").split(/; */);
	const kept = cookies.filter((cookie) => !/^CF_(Authorization|AppSession)=/.test(cookie));
	if (kept.join("") === "") {
		headers.delete("Cookie");
	} else {
		headers.set("Cookie", kept.join("; "));
	}
}

/** RFC 7239; the address of an IPv6 caller needs brackets, and therefore quotes. */
function forwarded(request: Request): string {
	const ip = request.headers.get("CF-Connecting-IP") ?? "unknown";
	const url = new URL(request.url);
	const source = ip.includes(":") ? `"[${ip}]"` : ip;
	return `for=${source};host="${url.host}";proto=${url.protocol.slice(0, -1)}`;
}

/** The same request to the service: scheme, host and port are never the caller's. */
export function requestFor(service: string, request: Request): Request {
	const asked = new URL(request.url);
	const url = new URL(service);
	url.pathname = asked.pathname;
	url.search = asked.search;

	const headers = without(request.headers, FROM_CALLERS);
	for (const name of [...headers.keys()]) {
		if (FROM_CALLERS_PREFIXES.some((prefix) => name.startsWith(prefix))) {
			headers.delete(name);
		}
	}
	dropAccessCookie(headers);
	headers.set("Forwarded", forwarded(request));
	if (request.headers.get("Upgrade")?.toLowerCase() === "websocket") {
		headers.set("Upgrade", "websocket");
	}
	return new Request(url, new Request(request, { headers, redirect: "manual" }));
}

/** The service's answer; a redirect to itself leads to where the caller found it. */
export function responseOf(service: string, request: Request, response: Response): Response {
	const headers = without(response.headers, FROM_SERVICE);
	const location = headers.get("Location");
	if (location !== null && URL.canParse(location, service)) {
		const url = new URL(location, service);
		if (url.origin === new URL(service).origin) {
			const here = new URL(request.url).origin;
			headers.set("Location", here + url.href.slice(url.origin.length));
		}
	}
	return new Response(response.body, {
		status: response.status,
		statusText: response.statusText,
		headers,
		webSocket: response.webSocket,
	});
}

// What `wrangler secret put` may have set.
interface Secrets {
	TOKEN?: string;
	GATEWAY_TOKEN?: string;
}

async function isAllowed(request: Request, env: PublishEnv & Secrets): Promise<boolean> {
	return env.ACCESS_TEAM
		? passedAccess(request, { team: env.ACCESS_TEAM, audience: env.ACCESS_AUD })
		: hasToken(request, env.TOKEN);
}

function refusal(error: MeshError): Response {
	const problem = error.publicForm();
	return Response.json(problem, {
		status: problem.status,
		headers: { "Content-Type": "application/problem+json" },
	});
}

export default {
	async fetch(request, env) {
		if (!(await isAllowed(request, env))) {
			return new Response("not allowed\n", {
				status: 401,
				headers: { "WWW-Authenticate": "Bearer" },
			});
		}
		const mesh = new Mesh(env.MESH, {
			gateways: env.GATEWAYS.match(/\S+/g) ?? [],
			token: env.GATEWAY_TOKEN,
		});
		try {
			const response = await mesh.fetch(requestFor(env.SERVICE, request));
			return responseOf(env.SERVICE, request, response);
		} catch (error) {
			if (!(error instanceof MeshError)) {
				throw error;
			}
			console.error(JSON.stringify(error));
			return refusal(error);
		}
	},
} satisfies ExportedHandler<PublishEnv & Secrets>;
